// What a private copy says about how to run it, parsed from bytes that were just verified.
import { join } from 'node:path'
import type { z } from 'zod'
import { AppError } from '../../errors.ts'
import { type Preprocessing, PreprocessingSchema } from '../../imaging/preprocessing.ts'
import {
  FamiliaritySchema,
  type FileEntry,
  type Golden,
  GoldenSchema,
  type ModelConfig,
  ModelConfigSchema,
  type Precision,
} from '../../package/schema.ts'
import { decodeFamiliarity, type FamiliarityModel } from '../familiarity/familiarity.ts'
import type { ServingCopy } from './serving-copy.ts'
import { readVerified } from './verified-bytes.ts'

const GOLDEN_FOLDER = 'results/golden/'
const FAMILIARITY = 'configs/familiarity.json'

export interface CopiedConfig {
  readonly model: ModelConfig
  readonly preprocessing: Preprocessing
  /** Undefined when the package brings no golden images. */
  readonly golden: Golden | undefined
  /** Null when the package does not say what is familiar to it. */
  readonly familiarity: FamiliarityModel | null
  /** The graph's entry in the manifest. */
  readonly graph: FileEntry
}

/**
 * What the version is run with in this precision: its graph and golden outputs are those of the precision.
 * @throws AppError `load-failed` when a file is missing or says what cannot be, `hash-mismatch`
 */
export async function readCopiedConfig(
  copy: ServingCopy,
  precision: Precision = 'float32',
): Promise<CopiedConfig> {
  const model = await readJson(copy, 'configs/model.json', ModelConfigSchema)
  const preprocessing = await readJson(copy, 'configs/preprocessing.json', PreprocessingSchema)
  const { file, golden: goldenFile } = inPrecision(model, precision)
  // Golden outputs are optional for the graph as it was trained, and never for one that was rounded.
  const hasGolden = precision !== 'float32' || copy.files.some(({ path }) => path === goldenFile)
  const golden = hasGolden ? await readJson(copy, goldenFile, GoldenSchema) : undefined
  const graph = copy.files.find(({ path }) => path === file)
  if (!graph) throw wrong(`the graph ${file} is not among its files`)
  if (model.graph.outputs.logits === null && model.graph.outputs.probabilities === null) {
    throw wrong('its graph gives neither logits nor probabilities')
  }
  return { model, preprocessing, golden, familiarity: await readFamiliarity(copy), graph }
}

async function readFamiliarity(copy: ServingCopy): Promise<FamiliarityModel | null> {
  if (!copy.files.some((file) => file.path === FAMILIARITY)) return null
  const config = await readJson(copy, FAMILIARITY, FamiliaritySchema)
  const entry = copy.files.find((file) => file.path === config.file)
  if (!entry) throw wrong(`it has no ${config.file}`)
  return decodeFamiliarity(config, await readVerified(join(copy.dir, entry.path), entry.sha256))
}

function inPrecision({ graph, int8 }: ModelConfig, precision: Precision) {
  if (precision === 'float32') return { file: graph.file, golden: `${GOLDEN_FOLDER}golden.json` }
  if (int8) return int8
  throw wrong('it has no graph in int8')
}

/** The verified bytes of a golden image, named from the package's or the golden folder. @throws AppError `golden-mismatch` */
export async function readGoldenImage(copy: ServingCopy, file: string): Promise<Uint8Array> {
  const entry = copy.files.find(({ path }) => path === file || path === GOLDEN_FOLDER + file)
  if (entry) return readVerified(join(copy.dir, entry.path), entry.sha256)
  throw new AppError('golden-mismatch', 'A golden image is named that the package does not hold.')
}

async function readJson<T extends z.ZodType>(
  copy: ServingCopy,
  path: string,
  schema: T,
): Promise<z.infer<T>> {
  const entry = copy.files.find((file) => file.path === path)
  if (!entry) throw wrong(`it has no ${path}`)
  const bytes = await readVerified(join(copy.dir, path), entry.sha256)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw wrong(`its ${path} is not readable JSON`, cause)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw wrong(`its ${path} is wrong at "${issue?.path.join('.') ?? ''}"`, parsed.error)
}

function wrong(what: string, cause?: unknown): AppError {
  return new AppError('load-failed', `The version cannot be loaded: ${what}.`, { cause })
}
