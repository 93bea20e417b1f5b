// From a converted model to a package: configurations, golden images, a model card, and the manifest last.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import { readModel } from '../../formats/onnx/model-proto.ts'
import { findNaN } from '../../formats/onnx/not-a-number.ts'
import { isName } from '../../package/ids.ts'
import { writeManifest } from '../../package/manifest.ts'
import type { ModelConfig } from '../../package/schema.ts'
import { arrangeOutputs } from './arrange-outputs.ts'
import { type ConvertedModel, type ModelMeaning, meaningOf } from './converted-model.ts'
import { completePreprocessing } from './foreign-fields.ts'
import { writeGoldenImages } from './golden-images.ts'
import type { ImportJob } from './import-job.ts'
import { judgeOutputs } from './judge-outputs.ts'

const PUBLISHED_POINT = 'published'
const NO_METRICS = 'Imported; not evaluated here.'

/** @returns the digest of the package. @throws AppError `invalid` or `invalid-package` in one sentence */
export async function writeImportedPackage(given: ConvertedModel, job: ImportJob): Promise<string> {
  const { fields, outDir } = job
  refuseNaN(given.onnx)
  const preprocessing = completePreprocessing(fields.preprocessing, given.input)
  const { model: named, judged } = await judgeOutputs(given, {
    said: fields.outputs,
    preprocessing,
  })
  const understood = { ...named, lastActivation: judged.lastActivation }
  const { arrangement, unitClass, ...meaning } = meaningOf(understood, job)
  const model = arrangeOutputs(understood, arrangement)
  const notes = [
    ...(given.notes ?? []),
    ...judged.notes,
    ...unitNotes(unitClass),
    ...exclusionNotes(understood, meaning),
  ]
  const graphFile = `models/${fields.name}.onnx`
  // An architecture of ours keeps its own spelling, so that trainings can start from the version.
  const own = model.variant ? model.architecture : undefined
  const architecture = own ?? fields.architecture ?? model.architecture
  const config: ModelConfig = {
    schema: 1,
    architecture,
    ...(model.variant && { variant: model.variant }),
    kind: meaning.kind,
    classes: [...meaning.classes],
    outputs: { taken: judged.taken, unitClass, notes },
    graph: { file: graphFile, ...model.graph },
    explanation: model.explanation,
    parameters: model.parameters,
  }
  await mkdir(join(outDir, 'models'), { recursive: true })
  await mkdir(join(outDir, 'configs'), { recursive: true })
  await writeFile(join(outDir, graphFile), model.onnx)
  await model.writeMore(join(outDir, 'models'))
  await writeGoldenImages(outDir, { onnx: model.onnx, graph: model.graph, preprocessing, meaning })
  await writeJson(join(outDir, 'configs/model.json'), config)
  await writeJson(join(outDir, 'configs/preprocessing.json'), preprocessing)
  await writeFile(join(outDir, 'README.md'), modelCard(job, { config, model, meaning }))
  const { sha256 } = await writeManifest(outDir, {
    condition: fields.condition,
    name: fields.name,
    createdAt: new Date().toISOString(),
    architecture,
    kind: meaning.kind,
    classes: [...meaning.classes],
    conditionName: job.condition?.name ?? readable(fields.condition),
    bodyPart: job.condition?.bodyPart ?? '',
    notice: model.featureNotice ?? NO_METRICS,
    demonstration: false,
    calibration: null,
    ...operatingPointsOf(model, meaning),
    metrics: null,
    lineage: {
      source: job.sourceName,
      sourceSha256: job.sourceSha256,
      importedFrom: job.kind,
      importKey: job.importKey,
    },
    tags: ['imported'],
  })
  return sha256
}

function refuseNaN(onnx: Uint8Array): void {
  const name = findNaN(readModel(onnx))
  if (name === undefined) return
  throw new AppError(
    'invalid-package',
    `The weights "${name.slice(0, 80)}" of this model hold values that are not numbers (NaN), as a training that diverged leaves them; export it from an earlier checkpoint.`,
  )
}

type Scored = Pick<ModelMeaning, 'kind' | 'classes'>

function unitNotes(unitClass: string | null): readonly string[] {
  return unitClass === null ? [] : [`The one output is the probability of ${unitClass}.`]
}

function exclusionNotes({ lastActivation, outputCount }: ConvertedModel, { kind }: Scored) {
  if (kind === 'single-label' && lastActivation === 'sigmoid' && outputCount > 1) {
    return ['Its outputs do not exclude each other (sigmoid); here they are made to sum to 1.']
  }
  if (kind === 'multi-label' && lastActivation === 'softmax' && outputCount > 1) {
    return ['Its outputs exclude each other (softmax), but the condition is multi-label.']
  }
  return []
}

/** Thresholds that the file brings become the operating point that it answers with. */
function operatingPointsOf({ thresholds }: ConvertedModel, { kind, classes }: Scored) {
  if (!thresholds || kind !== 'multi-label') {
    return { operatingPoints: [], defaultOperatingPoint: null }
  }
  const pairs = classes.map(({ label }, i) => [label, thresholds[i] ?? 1] as const)
  const point = { name: PUBLISHED_POINT, thresholds: Object.fromEntries(pairs) }
  return {
    operatingPoints: [{ ...point, sensitivity: null, specificity: null }],
    defaultOperatingPoint: PUBLISHED_POINT,
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** `limb-abnormality` as "Limb abnormality". */
function readable(id: string): string {
  const words = isName(id) ? id.replaceAll(/[-_.]+/g, ' ').trim() : id
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function modelCard(
  job: ImportJob,
  { config, model, meaning }: { config: ModelConfig; model: ConvertedModel; meaning: Scored },
): string {
  const { width, height, channels } = model.input
  const classes = meaning.classes
    .slice(0, 50)
    .map((one) => `- ${one.label}${one.positive ? ' (positive finding)' : ''}`)
  const more = meaning.classes.length - classes.length
  return `# ${job.fields.name}

For research use only; not a medical device. ${model.featureNotice ?? NO_METRICS}

- Condition: ${job.fields.condition}, ${meaning.kind}
- Architecture: ${config.architecture}
- Input: ${width} x ${height} pixels, ${channels} channels; how an image gets there is in configs/preprocessing.json
- Imported from: ${job.sourceName} (SHA-256 ${job.sourceSha256})
- Parameters: ${config.parameters?.total ?? 'unknown'}

## Classes, in the order of the outputs

${classes.join('\n')}${more > 0 ? `\n- and ${more} more` : ''}
${notesText(config)}
## How to run it

\`${config.graph.file}\` runs in any ONNX runtime: one input \`${config.graph.input.name}\`
(${config.graph.input.layout === 'nhwc' ? 'batch, height, width, channels' : 'batch, channels, height, width'}), 32-bit floats.
`
}

function notesText({ outputs }: ModelConfig): string {
  const notes = outputs?.notes ?? []
  return notes.length === 0
    ? ''
    : `\n## How it was read\n\n${notes.map((note) => `- ${note}`).join('\n')}\n`
}
