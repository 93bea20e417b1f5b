// The small files of a package that tell how to run it, parsed: model.json, preprocessing.json, golden.json.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { AppError } from '../errors.ts'
import { type Preprocessing, PreprocessingSchema } from '../imaging/preprocessing.ts'
import { isPlainFile, pathProblem } from './package-paths.ts'
import { type Golden, GoldenSchema, type ModelConfig, ModelConfigSchema } from './schema.ts'

export interface ServingConfig {
  readonly model: ModelConfig
  readonly preprocessing: Preprocessing
  /** Undefined when the package brings no golden images. */
  readonly golden: Golden | undefined
}

/** @throws AppError `invalid-package` when a file is absent or says what cannot be */
export async function readServingConfig(dir: string): Promise<ServingConfig> {
  const model = await readJson(dir, 'configs/model.json', ModelConfigSchema)
  const preprocessing = await readJson(dir, 'configs/preprocessing.json', PreprocessingSchema)
  const hasGolden = await isPlainFile(dir, 'results/golden/golden.json')
  const golden = hasGolden
    ? await readJson(dir, 'results/golden/golden.json', GoldenSchema)
    : undefined
  const reduced = model.int8 ? [model.int8.file, model.int8.golden] : []
  const named = [model.graph.file, ...reduced, ...(golden?.items ?? []).map((item) => item.file)]
  const unsafe = named.find((path) => pathProblem(path) !== undefined)
  if (unsafe !== undefined) {
    throw new AppError('invalid-package', 'A configuration of the package names an unsafe path.')
  }
  return { model, preprocessing, golden }
}

async function readJson<T extends z.ZodType>(
  dir: string,
  file: string,
  schema: T,
): Promise<z.infer<T>> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(join(dir, file), 'utf8'))
  } catch (cause) {
    throw new AppError('invalid-package', `The package has no readable ${file}.`, { cause })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new AppError(
    'invalid-package',
    `The package's ${file} is wrong at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}.`,
  )
}
