// One image that came from outside: read by every condition whose rule it fits, and the results stored beside it. Each step
// is written down as it is done, so that a later try goes on where this one ended.
import { AppError, isAppError } from '../../../errors.ts'
import {
  type ArchiveJob,
  type ArchiveResult,
  updateArchiveJob,
} from '../../../registry/archive/archive-jobs.ts'
import { conditionsFor, listArchiveRules } from '../../../registry/archive/archive-rules.ts'
import { getPrediction } from '../../../registry/predictions/predictions.ts'
import { predictImage } from '../../diagnosis/predict-image.ts'
import type { Shadow } from '../../diagnosis/shadow.ts'
import { asAppError } from '../../problem.ts'
import type { Uses } from '../../services.ts'
import { secondaryCaptureOf, structuredReportOf } from '../export/export-prediction.ts'
import type { Spool } from './spool.ts'

/** Objects of one study that go beside an image. */
export type Deliver = (o: {
  readonly source: ArchiveJob['source']
  readonly study: string
  readonly objects: readonly Uint8Array[]
}) => Promise<void>

export type Outcome =
  | { readonly state: 'done' | 'skipped' | 'failed'; readonly detail: string | null }
  | { readonly state: 'later'; readonly detail: string }

/** Errors that time may heal. */
const PASSING = new Set(['busy', 'loading', 'unavailable', 'no-active-version', 'disk-full'])

/** Never rejects: whatever happens is an outcome. */
export async function processJob(
  services: Uses<
    'config' | 'db' | 'imaging' | 'log' | 'makeReady' | 'metrics' | 'runtime' | 'store'
  > & { readonly shadow: Shadow },
  o: { readonly job: ArchiveJob; readonly spool: Spool; readonly deliver: Deliver },
): Promise<Outcome> {
  try {
    return await read(services, o)
  } catch (error) {
    const appError = asAppError(error)
    if (appError.code === 'internal')
      services.log.error({ err: error }, 'an image from an archive failed')
    return { state: PASSING.has(appError.code) ? 'later' : 'failed', detail: appError.message }
  }
}

async function read(
  services: Uses<'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'> & {
    readonly shadow: Shadow
  },
  { job, spool, deliver }: Parameters<typeof processJob>[1],
): Promise<Outcome> {
  const bytes = await spool.find(job.key)
  if (!bytes) return { state: 'failed', detail: 'The queued file is missing; send it again.' }
  const identity = await services.imaging.identify(bytes)
  const wanted = conditionsFor(await listArchiveRules(services.db), identity.image)
  const isBegun = job.results.length > 0
  if (wanted.length === 0 && !isBegun) {
    return { state: 'skipped', detail: 'No condition is routed to receive such images.' }
  }
  let results = job.results
  const note = async (changed: readonly ArchiveResult[]) => {
    results = changed
    await updateArchiveJob(services.db, job.key, { results })
  }
  for (const condition of wanted) {
    if (results.some((one) => one.condition === condition)) continue
    const prediction = await predictImage(services, { condition, image: bytes })
    await note([...results, { condition, prediction: prediction.id, delivered: false }])
  }
  for (const result of results) {
    if (result.delivered) continue
    const objects = await objectsOf(services, { id: result.prediction, source: bytes })
    await deliver({ source: job.source, study: identity.studyInstanceUid, objects })
    await note(results.map((one) => (one === result ? { ...one, delivered: true } : one)))
  }
  return { state: 'done', detail: null }
}

/** The report always, the capture where the version could explain itself. */
async function objectsOf(
  services: Uses<'db' | 'imaging' | 'store'>,
  { id, source }: { readonly id: string; readonly source: Uint8Array },
): Promise<Uint8Array[]> {
  const stored = await getPrediction(services.db, id).catch((error: unknown) => {
    if (!isAppError(error)) throw error
    throw new AppError('conflict', 'The result was deleted before it could be stored.')
  })
  const report = await structuredReportOf(services, { stored, source })
  return stored.heatmap
    ? [await secondaryCaptureOf(services, { stored, source }), report]
    : [report]
}
