// A comparison as tables: CSV for programs, LaTeX (booktabs) for papers.
import { formatCsv } from '../../package/csv.ts'
import {
  type ComparisonResults,
  type Figure,
  METRIC_NAMES,
  METRICS,
  type MetricName,
} from './comparison-results.ts'
import { findBest } from './summary.ts'

/** One line a model; each figure with the ends of its interval. */
export function modelsCsv({ models }: ComparisonResults): string {
  const columns = [
    'model',
    'architecture',
    'parameters',
    'size_bytes',
    'latency_ms',
    'training_s',
    'best_epoch',
  ]
  const figures = METRIC_NAMES.flatMap((name) => {
    const plain = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return [plain, `${plain}_low`, `${plain}_high`]
  })
  const rows = models.map((one) => [
    ...[one.id, one.architecture, one.parameters, one.sizeBytes, one.latencyMs],
    ...[one.trainingSeconds, one.bestEpoch],
    ...METRIC_NAMES.flatMap((name) => {
      const { value = null, interval = null } = one.metrics[name] ?? {}
      return [value, interval?.[0], interval?.[1]]
    }),
  ])
  return formatCsv([...columns, ...figures], rows)
}

export function pairsCsv({ pairs }: ComparisonResults): string {
  const columns = [
    'a',
    'b',
    'images',
    'agreement',
    'accuracy_difference',
    'low',
    'high',
    'mcnemar_p',
    'mcnemar_p_holm',
    'auc_difference',
    'delong_p',
    'delong_p_holm',
  ]
  const rows = pairs.map((one) => [
    ...[one.a, one.b, one.n, one.agreement, one.accuracyDifference.value],
    ...[one.accuracyDifference.interval?.[0], one.accuracyDifference.interval?.[1]],
    ...[one.accuracyP, one.accuracyAdjustedP, one.aucDifference, one.aucP, one.aucAdjustedP],
  ])
  return formatCsv(columns, rows)
}

export function perClassCsv({ models }: ComparisonResults): string {
  const columns = ['model', 'class', 'support', 'precision', 'recall', 'f1', 'auc']
  const rows = models.flatMap(({ id, classes }) =>
    classes.map((one) => [
      ...[id, one.label, one.support, one.precision.value, one.recall.value],
      ...[one.f1.value, one.auc.value],
    ]),
  )
  return formatCsv(columns, rows)
}

const SHOWN: readonly MetricName[] = [
  'accuracy',
  'balancedAccuracy',
  'auc',
  'sensitivity',
  'specificity',
  'ece',
]

/** Two tables for `\input`: the models with intervals, and the paired tests. Needs \usepackage{booktabs}. */
export function latexTables(results: ComparisonResults): string {
  return [
    '% Made by Roentgen from comparison_results.json. Needs \\usepackage{booktabs}.',
    modelsLatex(results),
    ...(results.pairs.length > 0 ? [pairsLatex(results)] : []),
    '',
  ].join('\n\n')
}

/** The architecture, with the version where another one has the same. */
function distinctNames(
  models: readonly { readonly id: string; readonly architecture: string }[],
): ReadonlyMap<string, string> {
  const shared = (architecture: string) =>
    models.filter((one) => one.architecture === architecture).length > 1
  return new Map(
    models.map(({ id, architecture }) => {
      const version = id.slice(id.indexOf('/') + 1)
      return [id, shared(architecture) ? `${architecture} (${version})` : architecture]
    }),
  )
}

function modelsLatex({ models, pairs, condition, images, kind }: ComparisonResults): string {
  const best = findBest({ models, pairs })
  const named = distinctNames(models)
  const rows = models.map(({ id, architecture, parameters, metrics }) => {
    const name = latex(named.get(id) ?? architecture)
    const cells = SHOWN.map((metric) => estimate(metrics[metric]))
    const millions = parameters === null ? '--' : (parameters / 1e6).toFixed(1)
    return `${id === best ? `\\textbf{${name}}` : name} & ${[millions, ...cells].join(' & ')} \\\\`
  })
  const heads = SHOWN.map((metric) => METRICS[metric].title)
  const of = kind === 'binary' ? '' : ' AUC is the mean over classes.'
  return table({
    caption: `${latex(condition)}: ${models.length} models on the same ${images} test images, with 95\\,\\% intervals.${of} Bold: more accurate than every other (McNemar, Holm-adjusted $p < 0.05$).`,
    label: `tab:${condition}-models`,
    columns: `lr${'l'.repeat(SHOWN.length)}`,
    head: ['Model', 'Parameters (M)', ...heads].join(' & '),
    rows,
  })
}

function pairsLatex({ pairs, models, condition }: ComparisonResults): string {
  const names = [...distinctNames(models)].map(([id, name]) => [id, latex(name)] as const)
  const named = new Map(names)
  const rows = pairs.map((one) => {
    const cells = [
      `${named.get(one.b) ?? ''} $-$ ${named.get(one.a) ?? ''}`,
      estimate(one.accuracyDifference, true),
      pValue(one.accuracyAdjustedP),
      one.aucDifference === null ? '--' : signed(one.aucDifference),
      one.aucAdjustedP === null ? '--' : pValue(one.aucAdjustedP),
    ]
    return `${cells.join(' & ')} \\\\`
  })
  return table({
    caption: `${latex(condition)}: paired differences on the same images; $p$ adjusted for ${pairs.length} pairs (Holm).`,
    label: `tab:${condition}-pairs`,
    columns: 'lllll',
    head: 'Pair & Accuracy & $p$ (McNemar) & AUC & $p$ (DeLong)',
    rows,
  })
}

function table(o: {
  readonly caption: string
  readonly label: string
  readonly columns: string
  readonly head: string
  readonly rows: readonly string[]
}): string {
  return [
    '\\begin{table}[htbp]',
    '  \\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}',
    `  \\caption{${o.caption}}`,
    `  \\label{${o.label}}`,
    `  \\begin{tabular}{@{}${o.columns}@{}}`,
    '    \\toprule',
    `    ${o.head} \\\\`,
    '    \\midrule',
    ...o.rows.map((row) => `    ${row}`),
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
  ].join('\n')
}

function estimate(figure: Figure | undefined, isSigned = false): string {
  const { value = null, interval = null } = figure ?? {}
  if (value === null) return '--'
  const write = isSigned ? signed : (one: number) => one.toFixed(3)
  return interval ? `${write(value)} [${write(interval[0])}, ${write(interval[1])}]` : write(value)
}

const signed = (value: number): string => `$${value < 0 ? '-' : '+'}$${Math.abs(value).toFixed(3)}`
const pValue = (p: number): string => (p < 0.001 ? '$<0.001$' : p.toFixed(3))

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
}

/** Text as LaTeX prints it; letters that its usual fonts lack become a question mark. */
export function latex(text: string): string {
  return text
    .replaceAll(/[\\~^]|[&%$#_{}]/g, (sign) => SPECIAL[sign] ?? `\\${sign}`)
    .replaceAll(/[^\u0020-\u017f]/g, '?')
}
