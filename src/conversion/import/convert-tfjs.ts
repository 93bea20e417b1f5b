// A TF.js layers model as a graph that is served. Runs in the import's child process.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { loadLayersModel } from '../../engine/layers-model.ts'
import { saveLayersModel } from '../../engine/layers-save.ts'
import { convertLayersModel } from './convert-layers-model.ts'
import type { ConvertedModel } from './converted-model.ts'
import type { ForeignFields } from './foreign-fields.ts'

/** Teachable Machine lays this beside model.json. */
const MetadataSchema = z.object({ labels: z.array(z.string().min(1).max(100)).min(1).max(1000) })

/** @throws AppError `invalid-package` in one sentence */
export async function convertTfjs(
  folder: string,
  { outputs }: Pick<ForeignFields, 'outputs'>,
): Promise<ConvertedModel> {
  const loaded = await loadLayersModel(folder)
  return convertLayersModel(loaded, {
    said: outputs,
    labels: await ownLabels(folder),
    architecture: 'tfjs-layers',
    writeMore: (modelsDir) => saveLayersModel(loaded, join(modelsDir, 'tfjs')),
  })
}

async function ownLabels(folder: string): Promise<readonly string[] | undefined> {
  try {
    const text = await readFile(join(folder, 'metadata.json'), 'utf8')
    return MetadataSchema.parse(JSON.parse(text)).labels
  } catch {
    return undefined
  }
}
