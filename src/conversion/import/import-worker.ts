// The child process of an import: TF.js and somebody else's model stay in here. Gets one ImportJob, answers once, ends.
import { isAppError, messageOf } from '../../errors.ts'
import { answerParent } from '../../processes/child-answer.ts'
import { convertFile } from './import-formats.ts'
import type { ImportJob, ImportReply } from './import-job.ts'
import { writeImportedPackage } from './write-imported-package.ts'

answerParent(work)

const MAX_REASON = 200

async function work(given: ImportJob): Promise<ImportReply> {
  try {
    const { model, job } = await convertFile(given)
    return { ok: true, sha256: await writeImportedPackage(model, job) }
  } catch (error) {
    const cause = messageOf(isAppError(error) ? (error.cause ?? error) : error)
    if (isAppError(error)) return { ok: false, code: error.code, message: error.message, cause }
    // What is not foreseen is said as it is: nobody but the user can tell what is odd about the file.
    const [line = ''] = cause.split('\n')
    const reason = line.replaceAll(given.workDir, '').slice(0, MAX_REASON).replace(/\.$/, '')
    const message = `The model could not be converted: ${reason || 'no reason is known'}.`
    return { ok: false, code: 'invalid-package', message, cause }
  }
}
