// What is looked at before a run is taken on and again before it begins: dataset, settings, disk, memory, engine. Each
// refusal is one sentence that says what to do.
import { statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import type { ArchitectureCard } from '../architectures/architecture-cards.ts'
import { readConfig } from '../config.ts'
import { checkNativeEngine } from '../engine/native-engine.ts'
import { AppError } from '../errors.ts'
import type { Dataset, Preparation } from '../registry/runs/datasets.ts'
import { type ConditionClasses, guessClasses, sameLabel } from './dataset/labels.ts'
import { GivenHyperparametersSchema, withCurrentNames } from './settings.ts'

const MIB = 2 ** 20
/** Node, TF.js and ONNX Runtime before anything is trained. */
const BASE_MIB = 280
/** Feature maps are kept for the way back, and gradients beside some of them: 1.2 to 2 times as measured on three networks. */
const ACTIVATION_COPIES = 1.7
/** The estimate may be that much too high; what does not fit for certain is refused. */
const CERTAIN_SHARE = 0.7
/** Weights, gradients and Adam's two moments as float32, and the best weights. */
const BYTES_PER_PARAMETER = 20

/** @returns them with their present names. @throws AppError `invalid` naming the field */
export function checkHyperparameters(
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const current = withCurrentNames(given)
  const result = GivenHyperparametersSchema.safeParse(current)
  if (result.success) return current
  const issue = result.error.issues[0]
  const unknown =
    issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]].join('.') : undefined
  const field = unknown ?? issue?.path.join('.') ?? '?'
  throw new AppError(
    'invalid',
    unknown
      ? `There is no hyperparameter "${unknown.slice(0, 60)}".`
      : `The hyperparameter "${field}" is wrong: ${issue?.message ?? 'not as expected'}.`,
    { extra: { field: `hyperparameters.${field}` } },
  )
}

/** @throws AppError `dataset-not-prepared` */
export function checkPrepared({ name, state, prepared }: Dataset): Preparation {
  if (prepared && state !== 'preparing') return prepared
  throw new AppError(
    'dataset-not-prepared',
    state === 'preparing'
      ? `Dataset not prepared: "${name}" is being prepared now; start the run when that is done.`
      : `Dataset not prepared: "${name}" was scanned but not prepared; prepare it first.`,
  )
}

/** Of scan and preparation, each once, whatever its spelling. */
export function labelsOf({ scan, prepared }: Pick<Dataset, 'scan' | 'prepared'>): string[] {
  const known = [...(scan?.classes ?? []), ...(prepared?.classes ?? [])].map(({ label }) => label)
  return known.filter((one, k) => known.findIndex((b) => sameLabel(one, b)) === k)
}

/**
 * Every class of the condition has images in the dataset; the healthy class of a binary condition may be the unlabelled ones.
 * @throws AppError `class-mismatch` with the condition that the dataset's own classes would make as `offer`
 */
export function checkClassesFit(
  condition: { readonly name: string } & ConditionClasses,
  dataset: Pick<Dataset, 'name' | 'scan' | 'prepared'>,
): void {
  const { name, scan, prepared } = dataset
  const labels = labelsOf(dataset)
  const mayBeUnlabelled = condition.kind === 'binary' && (scan === null || scan.unlabelled > 0)
  const missing = condition.classes.filter(
    ({ label, positive }) =>
      !labels.some((one) => sameLabel(one, label)) && (positive || !mayBeUnlabelled),
  )
  if (missing.length === 0) return
  const quoted = (all: readonly string[]): string => all.map((one) => `"${one}"`).join(', ')
  throw new AppError(
    'class-mismatch',
    `"${name}" has no images of ${quoted(missing.map(({ label }) => label))} for ${condition.name}; its classes are ` +
      `${quoted(labels.slice(0, 20))}. Choose another condition, or create one from these classes.`,
    {
      extra: {
        field: 'condition',
        missing: missing.map(({ label }) => label),
        offer: findGuess(labels, prepared?.kind === 'multi-label'),
      },
    },
  )
}

/** null where a person has to say which class is the finding. */
function findGuess(labels: readonly string[], severalPerImage: boolean): ConditionClasses | null {
  try {
    return guessClasses(labels, { severalPerImage })
  } catch {
    return null
  }
}

export interface Need {
  readonly card: ArchitectureCard
  readonly images: number
  readonly imageSize: number
  readonly batchSize: number
}

/** Memory that a run is expected to take, in bytes. */
export function expectedMemory({ card, imageSize, batchSize }: Omit<Need, 'images'>): number {
  const maps = card.activationMegabytes * (imageSize / card.inputSize) ** 2
  const moving = maps * batchSize * ACTIVATION_COPIES
  return (BASE_MIB + moving) * MIB + card.parameters * BYTES_PER_PARAMETER
}

/** Disk that a run is expected to take for pixels, checkpoint and package, in bytes. */
export function expectedDisk({ card, images, imageSize }: Omit<Need, 'batchSize'>): number {
  const rows = images * imageSize ** 2 * (card.channels === 3 ? 3 : 1) * 4
  // Above a gibibyte pixels are kept in half precision.
  const pixels = rows > 1024 * MIB ? rows / 2 : rows
  // The checkpoint holds four copies of what is trained; the package it again, ONNX, TF.js and three files of Keras.
  return pixels + card.parameters * 4 * 14 + 50 * MIB
}

/** @returns a sentence for each check that was passed. @throws AppError `unavailable` with what is missing */
export async function checkMachine(
  need: Need,
  { dataDir }: { readonly dataDir: string },
): Promise<string[]> {
  checkNativeEngine()
  const { bavail, bsize } = await statfs(dataDir)
  const disk = expectedDisk(need)
  if (disk > bavail * bsize) {
    throw new AppError(
      'unavailable',
      `This run needs about ${words(disk)} of disk and ${words(bavail * bsize)} are free: free some space, ` +
        'or choose a smaller image size.',
    )
  }
  const memory = expectedMemory(need)
  const there = memoryOfMachine()
  if (CERTAIN_SHARE * memory > there) {
    throw new AppError(
      'unavailable',
      `This run needs about ${words(memory)} of memory and this machine has ${words(there)}: ` +
        'close other programs, or choose a smaller batch, image size or architecture.',
    )
  }
  return [
    'Engine: ONNX Runtime is there.',
    `Disk: about ${words(disk)} needed, ${words(bavail * bsize)} free.`,
    `Memory: about ${words(memory)} needed at most, ${words(there)} there.`,
  ]
}

/** Of the machine, or what its container, or ROENTGEN_TRAINING_MEMORY, allows. */
function memoryOfMachine(): number {
  const limits = [process.constrainedMemory(), readConfig().trainingMemoryBytes]
  return Math.min(totalmem(), ...limits.filter((limit) => limit > 0))
}

function words(bytes: number): string {
  return bytes >= 1024 * MIB
    ? `${(bytes / (1024 * MIB)).toFixed(1)} GiB`
    : `${Math.max(1, Math.round(bytes / MIB))} MiB`
}
