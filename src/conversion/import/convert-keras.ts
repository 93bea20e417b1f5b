// A Keras file as a graph that is served. Runs in the import's child process.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { saveLayersModel } from '../../engine/layers-save.ts'
import { loadKeras } from '../../formats/keras/read/load-keras.ts'
import { headOf } from '../../package/file-head.ts'
import { convertLayersModel } from './convert-layers-model.ts'
import type { ConvertedModel } from './converted-model.ts'

/** The file itself stays in the package beside what was made of it. @throws AppError `invalid-package` in one sentence */
export async function convertKeras(
  path: string,
  { workDir, name }: { workDir: string; name: string },
): Promise<ConvertedModel> {
  const isZip = (await headOf(path, 2)).toString('latin1') === 'PK'
  const loaded = await loadKeras(path, { workDir })
  return convertLayersModel(loaded, {
    labels: undefined,
    architecture: 'keras',
    writeMore: async (modelsDir) => {
      await saveLayersModel(loaded, join(modelsDir, 'tfjs'))
      await copyFile(path, join(modelsDir, `${name}.${isZip ? 'keras' : 'h5'}`))
    },
  })
}
