// README.md, the model card: what the model is for and not for, what it learnt from, how good it is, and how to run it.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Split } from '../../dataset/split.ts'
import { type PackageContext, writeFiles } from '../package-context.ts'
import { cell, figuresSection } from './figures-section.ts'
import { snippets } from './snippets.ts'

/** After all that it names was written. */
export async function writeModelCard(c: PackageContext): Promise<void> {
  const keras = `models/${c.name}.keras`
  const files = await readdir(c.dir, { recursive: true, withFileTypes: true })
  const has = files.some((one) => one.isFile() && one.name === `${c.name}.keras`)
  const noKeras = await readFile(join(c.dir, 'models/keras-files.txt'), 'utf8').catch(() => '')
  const parts = [
    head(c),
    purpose(c),
    data(c),
    training(c),
    figuresSection(c.evaluation),
    explanation(c),
    snippets({
      condition: c.job.condition.id,
      model: c.config,
      preprocessing: c.index.preprocessing,
      calibration: c.evaluation.calibration,
      kerasFile: has ? keras : undefined,
      givesLogits: c.model.layers.at(-1)?.getConfig().activation === 'linear',
      noKeras: noKeras.trim(),
    }),
  ]
  await writeFiles(c.dir, { 'README.md': parts.join('\n') })
}

function head({ job, name, index, config }: PackageContext): string {
  const { width, height, channels } = index.preprocessing
  const demonstration = job.demonstration
    ? `**${job.demonstration.notice}.** Trained on synthetic images. Not for clinical use.\n\n`
    : ''
  const labels = index.classes.map(({ label, positive }) =>
    positive ? `**${cell(label)}**` : cell(label),
  )
  return `# ${job.condition.name}: ${name}

${demonstration}For research use only; not a medical device. Clinical judgement required.

- Condition: ${job.condition.id} (${job.condition.bodyPart}), ${KINDS[index.kind]}
- Classes, in the order of the outputs: ${labels.join(', ')} (bold: a finding)
- Architecture: ${config.architecture}, ${config.parameters?.total.toLocaleString('en') ?? 'an unknown number of'} parameters
- Input: ${height} x ${width} pixels, ${channels === 1 ? 'grey' : 'colour'}; exactly how is in \`configs/preprocessing.json\`
`
}

const KINDS = {
  binary: 'binary (one sigmoid)',
  'single-label': 'exclusive classes (softmax)',
  'multi-label': 'labels that may come together (independent sigmoids)',
} as const

function purpose({ job, index }: PackageContext): string {
  const { bodyPart } = job.condition
  const findings = index.classes.filter(({ positive }) => positive).map(({ label }) => label)
  const what = findings.length > 0 ? findings.map(cell).join(', ') : 'these classes'
  return `## Intended use

Research on distinguishing ${what} in images of the ${bodyPart} similar to its training images: same type of device, projection and patients. As a second reader, never as a replacement.

## Out of scope

- Deciding about a patient: it has no approval and no clinical trial behind it.
- Other body parts, projections, devices, ages or populations than those of its dataset. The server warns of images that
  look unlike it, which does not catch all of them.
- Other findings: it predicts only its own classes, whatever else an image shows.
- Ruling something out where it is rarer than in its test set: PPV and NPV below hold for the test set's share of findings.
- Measuring or outlining: a heatmap shows where evidence came from; it is not a segmentation.
`
}

const SPLITS: readonly Split[] = ['train', 'validation', 'calibration', 'test']

/** What holds for these images, not what was meant to hold: a split that a dataset brings may tear patients apart. */
export function patientsOf(
  images: readonly { readonly group: string | null; readonly split: Split }[],
): string {
  const sides = new Map<string, Set<Split>>()
  for (const { group, split } of images) {
    if (group !== null) sides.set(group, (sides.get(group) ?? new Set<Split>()).add(split))
  }
  if (sides.size === 0) return ', with no patients named'
  const torn = [...sides.values()].filter((found) => found.size > 1).length
  const known = ` of ${sides.size} known patients or lesions`
  return torn === 0
    ? `${known}, each on one side of the split`
    : `${known}, ${torn} of them on more than one side of the split: the figures below are too good for new patients`
}

function data({ index }: PackageContext): string {
  const count = (split: Split, k?: number) =>
    index.images.filter(
      (one) => one.split === split && (k === undefined || one.classes.includes(k)),
    ).length
  const notes = [...index.notes, ...index.warnings]
  return `## Training data

Dataset \`${index.name}\`, ${index.images.length} images${patientsOf(index.images)}. Left out: ${index.setAside.length} (broken, unlabelled or contradictory), ${index.duplicates.length} duplicates. Fingerprint \`${index.fingerprint.slice(0, 16)}\`.

| | ${SPLITS.join(' | ')} |
| --- |${SPLITS.map(() => ' --- |').join('')}
${index.classes.map(({ label }, k) => `| ${cell(label)} | ${SPLITS.map((split) => count(split, k)).join(' | ')} |`).join('\n')}
| all | ${SPLITS.map((split) => count(split)).join(' | ')} |

${notes.map((note) => `- ${note}`).join('\n')}
`
}

function training({ job, trained, hyperparameters: h, engine }: PackageContext): string {
  const from = job.initFrom
    ? `from the weights of ${job.initFrom.version}`
    : h.weights === 'none'
      ? 'from random weights'
      : `from the weights \`${h.weights}\``
  return `## Training

${trained.history.length} epochs ${from} (the best, ${trained.bestEpoch}, is kept; ended by ${trained.endedBy}), batch ${h.batchSize}, ${h.optimizer}, learning rate ${h.learningRate} (${h.schedule}), seed ${h.seed}, preset ${job.preset},
with ${engine === 'onnx' ? 'ONNX Runtime' : 'TensorFlow'}. Everything else is in \`configs/train.json\` and \`results/metadata.json\`.
`
}

/** Seeds and papers name another layer for this network; a reader who knows it deserves the reason. */
const OTHER_LAYERS: Readonly<Record<string, string>> = {
  densenet121: `Often \`conv5_block16_2_conv\` is recommended for DenseNet121. It is one branch of the last block: 32 of the 1024
maps that the head reads, before the block joins them and batch norm and ReLU weigh them. The last \`relu\` is what the head
itself averages, so its Grad-CAM is exactly the logit's parts by place (weights times features, HiResCAM gives the same), at
the same 7 x 7 resolution. Who wants the other one trains with \`--set explanationLayer=conv5_block16_2_conv\`. With \`layer\` a
request may name the layer that it means; one that this package does not bring is refused by name, never replaced in silence.`,
}

function explanation({ config }: PackageContext): string {
  const { explanation: found, architecture } = config
  const other = OTHER_LAYERS[architecture]
  return `## Explanation

${
  found
    ? `Grad-CAM at \`${found.layer}\`. ${found.reason}${found.scale === null ? '' : ` Full colour means evidence of ${found.scale.toPrecision(3)} logit units or more, the same in every image.`}`
    : 'The graph gives no feature map; heatmaps use occlusion.'
}
${other ? `\n${other}\n` : ''}`
}
