// Pretrained weights that are kept for training: data/weights holds the numbers of each as safetensors, without a head, and
// beside them what they are. Light, for the web process lists them too; what puts them there is import-weights.ts.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { flush, TEMPORARY_PREFIX, writeFileDurably } from '../../package/durable-files.ts'
import { isName } from '../../package/ids.ts'
import { fetchable } from './published-files.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const perChannel = z.array(z.number()).min(1).max(3)

export const StoredWeightsSchema = z.object({
  schema: z.literal(1),
  name: z.string().refine(isName),
  architecture: z.string(),
  variant: z.enum(['keras', 'keras-imagenet', 'torchvision']),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** Side of the image where only one fits; null for convolutions, which take any. */
  imageSize: z.int().min(1).nullable(),
  /** How the images were scaled that the weights were trained on. */
  scaling: z.object({
    scale: z.number(),
    mean: perChannel,
    std: perChannel,
    order: z.enum(['rgb', 'bgr']),
  }),
  parameters: z.int().min(1),
  /** Of the numbers as they are kept here. */
  sha256,
  file: z.string().regex(/^[a-z0-9][a-z0-9._-]*\.safetensors$/),
  source: z.object({
    fileName: z.string(),
    format: z.string(),
    sha256,
    md5: z.string().regex(/^[0-9a-f]{32}$/),
    /** Where it was fetched from; null when somebody brought the file. */
    url: z.string().nullable(),
    /** What the publisher calls it, where the check sum is the publisher's. */
    published: z.string().nullable(),
  }),
  importedAt: z.iso.datetime({ offset: true }),
})
export type StoredWeights = Readonly<z.infer<typeof StoredWeightsSchema>>

/** `weights` of a run that means the ImageNet weights of its architecture. */
export const IMAGENET = 'imagenet'

export function weightsFolder(dataDir: string): string {
  return join(dataDir, 'weights')
}

export function imagenetName(architecture: string): string {
  return `${architecture}-${IMAGENET}`
}

/** By name; what cannot be read is left out. */
export async function listWeights(dataDir: string): Promise<StoredWeights[]> {
  const files = await readdir(weightsFolder(dataDir)).catch(() => [])
  const names = files.filter((file) => file.endsWith('.json') && !file.startsWith('.')).sort()
  const found: StoredWeights[] = []
  for (const file of names) {
    const weights = await readEntry(join(weightsFolder(dataDir), file))
    if (weights) found.push(weights)
  }
  return found
}

async function readEntry(path: string): Promise<StoredWeights | undefined> {
  try {
    return StoredWeightsSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

export async function findWeights(
  dataDir: string,
  name: string,
): Promise<StoredWeights | undefined> {
  return isName(name) ? readEntry(join(weightsFolder(dataDir), `${name}.json`)) : undefined
}

/**
 * The weights that a run of `architecture` means by `wanted`: `imagenet`, or the name of some that are kept here.
 * @throws AppError `invalid` with what to do when they are not there, or of another architecture
 */
export async function resolveWeights(
  dataDir: string,
  { wanted, architecture }: { readonly wanted: string; readonly architecture: string },
): Promise<StoredWeights> {
  const name = wanted === IMAGENET ? imagenetName(architecture) : wanted
  const found = await findWeights(dataDir, name)
  const field = { extra: { field: 'weights' } }
  if (!found) {
    const called = wanted === IMAGENET ? 'ImageNet weights' : `weights "${wanted.slice(0, 64)}"`
    throw new AppError(
      'invalid',
      `There are no ${called} of ${architecture} here yet: ${howToGet(architecture)}`,
      field,
    )
  }
  if (found.architecture === architecture) return found
  throw new AppError(
    'invalid',
    `The weights "${found.name}" are of ${found.architecture}; a ${architecture} cannot start from them.`,
    field,
  )
}

function howToGet(architecture: string): string {
  const byHand = `import a file with "roentgen weights import FILE --name ${imagenetName(architecture)}".`
  if (fetchable().some(({ key }) => key === architecture)) {
    return `fetch them with "roentgen weights fetch ${architecture}", or ${byHand}`
  }
  return `nobody publishes any; ${byHand}`
}

/** Where the numbers of these lie. */
export function numbersPath(dataDir: string, { file }: Pick<StoredWeights, 'file'>): string {
  return join(weightsFolder(dataDir), file)
}

/** A path beside the others for numbers that are being written; the folder is made. */
export async function newNumbersPath(dataDir: string): Promise<string> {
  await mkdir(weightsFolder(dataDir), { recursive: true })
  return join(weightsFolder(dataDir), `${TEMPORARY_PREFIX}${randomUUID()}`)
}

/** Puts written numbers and their description where they count; those of the same name before go. */
export async function keepWeights(
  dataDir: string,
  { from, weights }: { readonly from: string; readonly weights: StoredWeights },
): Promise<void> {
  const before = await findWeights(dataDir, weights.name)
  const to = numbersPath(dataDir, weights)
  await rename(from, to)
  await flush(weightsFolder(dataDir))
  const path = join(weightsFolder(dataDir), `${weights.name}.json`)
  await writeFileDurably(path, `${JSON.stringify(weights, null, 2)}\n`)
  if (before && before.file !== weights.file) {
    await rm(numbersPath(dataDir, before), { force: true })
  }
}
