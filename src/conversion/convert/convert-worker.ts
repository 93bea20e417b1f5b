// The process of convert-process.ts: TF.js, the HDF5 library and somebody else's model stay in here.
import { isAppError, messageOf } from '../../errors.ts'
import { answerParent } from '../../processes/child-answer.ts'
import type { ConversionAnswer, ConversionJob } from './convert-process.ts'
import { openModel, openPackageModel } from './open-model.ts'
import { writeModel } from './write-model.ts'

answerParent(convert)

async function convert({ from, to, out, workDir }: ConversionJob): Promise<ConversionAnswer> {
  try {
    const model =
      'path' in from
        ? await openModel(from.path, { workDir })
        : await openPackageModel(from.packageDir)
    await writeModel(model, { to, out })
    return null
  } catch (error) {
    if (isAppError(error)) return { code: error.code, message: error.message }
    const [reason = ''] = messageOf(error).replaceAll(workDir, '').split('\n')
    const message = `The model could not be converted: ${reason.slice(0, 200).replace(/\.$/, '')}.`
    return { code: 'invalid-package', message }
  }
}
