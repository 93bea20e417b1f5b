// The conversion of a model from elsewhere as a job: somebody waits for it, so that it is seen, can be cancelled, and ends with
// the process, as the uploaded file does.
import { convertForeign, type ForeignModel } from '../../conversion/import/convert-foreign.ts'
import { AppError } from '../../errors.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import { HOUR_MS, type JobKind, KEEP_MS } from '../jobs/job-kind.ts'
import type { Uses } from '../services.ts'

/** In memory only; what came of it is put beside it. */
interface Conversion {
  readonly model: Omit<ForeignModel, 'signal'>
  ended?: { readonly packageDir: string } | { readonly error: unknown }
}

const KIND = 'conversion'

export function conversionKind(): JobKind<Conversion> {
  return {
    name: KIND,
    title: 'Conversion of a model',
    unit: 'models',
    afterRestart: 'end',
    keepsInput: false,
    isCancellable: true,
    lane: KIND,
    // Each may take gigabytes of memory.
    width: 2,
    maxAttempts: 1,
    // Its process has a shorter one, by the size of the file.
    timeLimitMs: 6 * HOUR_MS,
    stallLimitMs: null,
    keepMs: KEEP_MS,
    interruptedWords: async (_, why) => `${why}. Send the model again.`,
    async run({ input, signal, progress }) {
      progress(0, 1)
      try {
        input.ended = { packageDir: await convertForeign({ ...input.model, signal }) }
      } catch (error) {
        if (!signal.aborted) input.ended = { error }
        throw error
      }
      progress(1, 1)
      return undefined
    },
  }
}

/** The package folder. @throws AppError as `convertForeign`; `conflict` when it was cancelled, `unavailable` at the end of the server */
export async function convertAsJob(
  { jobs }: Uses<'jobs'>,
  { model, actor }: { readonly model: Conversion['model']; readonly actor: Actor },
): Promise<string> {
  const input: Conversion = { model }
  const { condition, name } = model.fields
  const subject = { type: 'model-file', id: `${condition}/${name}` } as const
  const { id } = await jobs.add(KIND, { input, subject, actor })
  const { state, reason } = await jobs.whenRested(id)
  if (input.ended && 'packageDir' in input.ended) return input.ended.packageDir
  if (input.ended) throw input.ended.error
  if (state === 'cancelled') throw new AppError('conflict', 'The conversion was cancelled.')
  throw new AppError('unavailable', reason ?? 'The server is stopping.')
}
