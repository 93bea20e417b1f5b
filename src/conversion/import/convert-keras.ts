// A Keras file as a graph that is served. Runs in the import's child process.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { saveLayersModel } from '../../engine/layers-save.ts'
import { loadKeras } from '../../formats/keras/read/load-keras.ts'
import { headOf } from '../../package/file-head.ts'
import { convertLayersModel } from './convert-layers-model.ts'
import type { ConvertedModel } from './converted-model.ts'
import { type ForeignFields, wantedSize } from './foreign-fields.ts'

/** The file itself stays in the package beside what was made of it. @throws AppError `invalid-package` in one sentence */
export async function convertKeras(
  path: string,
  {
    workDir,
    fields,
    labels,
  }: {
    readonly workDir: string
    readonly fields: Pick<ForeignFields, 'name' | 'outputs' | 'preprocessing'>
    readonly labels?: readonly string[] | undefined
  },
): Promise<ConvertedModel> {
  const isZip = (await headOf(path, 2)).toString('latin1') === 'PK'
  const loaded = await loadKeras(path, { workDir, size: wantedSize(fields.preprocessing) })
  return convertLayersModel(loaded, {
    said: fields.outputs,
    labels,
    architecture: 'keras',
    writeMore: async (modelsDir) => {
      await saveLayersModel(loaded, join(modelsDir, 'tfjs'))
      await copyFile(path, join(modelsDir, `${fields.name}.${isZip ? 'keras' : 'h5'}`))
    },
  })
}
