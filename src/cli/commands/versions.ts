// roentgen versions list | show

import { type Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { versionPath } from '../../package/ids.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { VERSION_STATUSES } from '../../registry/schema/states.ts'
import type { Version } from '../../registry/versions/versions.ts'
import { type Api, withApi } from '../api.ts'
import { command, fraction, query, wholeNumber } from '../command.ts'
import { versionNamed } from '../named-version.ts'
import { bytesText, printFields, printJson, printLine, printTable, share } from '../output.ts'

interface Filter {
  readonly json?: true
  readonly condition?: string
  readonly architecture?: string
  readonly status?: string
  readonly tag?: string
  readonly minAccuracy?: number
  readonly from?: string
  readonly to?: string
  readonly q?: string
  readonly sort?: string
  readonly order?: string
  readonly limit: number
}

interface VersionPage {
  readonly items: readonly Version[]
  readonly nextCursor: string | null
  readonly total: number
}

export function addVersionsCommands(program: Command): void {
  const group = program
    .command('versions')
    .description('Registered versions: list, show, delete')
    .helpCommand(false)

  command(group, 'list', {
    does: 'List versions, newest first; * marks active versions',
    example: 'roentgen versions list --condition pneumonia --sort auc',
  })
    .option('--condition <id>', 'only of this condition')
    .option('--architecture <name>', 'only of this architecture')
    .addOption(new Option('--status <status>', 'only with this status').choices(VERSION_STATUSES))
    .option('--tag <tag>', 'only with this tag')
    .option('--min-accuracy <share>', 'only with at least this accuracy, 0 to 1', fraction)
    .option('--from <time>', 'only made at or after this time or day')
    .option('--to <time>', 'only made at or before this time or day')
    .option('-q, --q <words>', 'only with all of these words in id, architecture, tags or notes')
    .option('--sort <field>', 'order by, e.g. auc, accuracy, size, name or createdAt')
    .addOption(new Option('--order <order>', 'direction').choices(['asc', 'desc']))
    .option('--limit <number>', 'maximum number', wholeNumber(1, 500), 100)
    .action(list)

  command(group, 'show <version>', {
    does: 'Show one version: metrics, operating points, lineage, files',
    example: 'roentgen versions show pneumonia/densenet121-standard@3',
  }).action(show)

  command(group, 'delete <version>', {
    does: 'Move a version to the trash, from which it can be restored for a while',
    example: 'roentgen versions delete pneumonia/densenet121-quick@2',
  }).action((id, options) => change(id, { ...options, method: 'DELETE' }))

  command(group, 'undelete <version>', {
    does: 'Restore a deleted version from the trash',
    example: 'roentgen versions undelete pneumonia/densenet121-quick@2',
  }).action((id, options) => change(id, { ...options, method: 'POST', action: '/undelete' }))
}

function int8Words({ metrics }: NonNullable<Version['int8']>): string {
  return `accuracy ${share(metrics?.accuracy ?? null)}, AUC ${share(metrics?.auc ?? null)}`
}

async function change(
  id: string,
  { json, method, action = '' }: { json?: true; method: string; action?: string },
): Promise<void> {
  const version = await withApi(readConfig(), async (api) => {
    const path = versionPath(await versionNamed(api, id))
    return api.json<Version>(`/api/v1/versions/${path}${action}`, { method })
  })
  if (json) return printJson(version)
  printLine(`${version.id} is ${version.status}.`)
}

async function list({ json, ...filter }: Filter): Promise<void> {
  const [page, active] = await withApi(readConfig(), async (api) => [
    await api.json<VersionPage>(`/api/v1/versions${query(filter)}`),
    json ? new Set<string>() : await activeVersions(api),
  ])
  if (json) return printJson(page)
  printTable(
    page.items.map(({ id, status, architecture, metrics, createdAt, tags }) => {
      const figures = [share(metrics?.auc), share(metrics?.accuracy)]
      const name = active.has(id) ? `${id} *` : id
      return [name, status, architecture, ...figures, createdAt.slice(0, 10), tags.join(' ') || '-']
    }),
    {
      columns: ['version', 'status', 'architecture', 'auc', 'accuracy', 'made', 'tags'],
      none: 'No such version.',
    },
  )
  const more = page.total - page.items.length
  if (more > 0) printLine(`${more} more; raise --limit or filter.`)
}

async function activeVersions(api: Api): Promise<Set<string>> {
  const conditions = await api.json<Condition[]>('/api/v1/conditions')
  return new Set(conditions.flatMap(({ active }) => (active ? [active.version] : [])))
}

async function show(id: string, { json }: { json?: true }): Promise<void> {
  const version = await withApi(readConfig(), async (api) => {
    const path = versionPath(await versionNamed(api, id))
    return api.json<Version>(`/api/v1/versions/${path}`)
  })
  if (json) return printJson(version)
  const { metrics, calibration } = version
  printFields({
    version: version.id,
    status: [version.status, version.statusReason].filter(Boolean).join(': '),
    notice: version.notice,
    architecture: version.architecture,
    classes: version.classes.map(({ label }) => label).join(', '),
    sha256: version.sha256,
    made: version.createdAt,
    tags: version.tags.join(', ') || null,
    called: version.aliases.map((alias) => `${version.condition}@${alias}`).join(', ') || null,
    notes: version.notes || null,
    calibration: calibration ? `${calibration.method} ${calibration.temperature}` : 'none',
    size: bytesText(version.sizeBytes),
  })
  if (metrics) {
    printLine(`\nOn ${metrics.n} test images:`)
    const { accuracy, balancedAccuracy, auc, sensitivity, specificity, f1 } = metrics
    const figures = { accuracy, balancedAccuracy, auc, sensitivity, specificity, f1 }
    printFields(
      Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, share(value)])),
    )
  }
  if (version.int8) printLine(`\nAlso in int8: ${int8Words(version.int8)}`)
  printLine()
  printTable(
    version.operatingPoints.map(({ name, thresholds, sensitivity, specificity }) => {
      const rule = Object.entries(thresholds).map(([label, at]) => `${label} >= ${share(at)}`)
      return [
        name,
        rule.join(', ') || 'most probable class',
        share(sensitivity),
        share(specificity),
      ]
    }),
    {
      columns: ['operating point', 'rule', 'sensitivity', 'specificity'],
      none: 'No operating points.',
    },
  )
  printLine()
  printTable(
    version.files.map(({ path: file, size, sha256 }) => [
      file,
      bytesText(size),
      sha256.slice(0, 16),
    ]),
    { columns: ['file', 'size', 'sha256'], none: 'No files.' },
  )
}
