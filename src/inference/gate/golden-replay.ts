// Does a freshly loaded version still give the outputs that are stored with its golden images? One step of the gate.
import { setTimeout as delay } from 'node:timers/promises'
import { AppError, isAppError } from '../../errors.ts'
import type { ReadImage } from '../../imaging/imaging-job.ts'
import type { ImagingPool } from '../../imaging/imaging-pool.ts'
import { type CopiedConfig, readGoldenImage } from '../host/copied-config.ts'
import type { ServingCopy } from '../host/serving-copy.ts'
import type { LoadedVersion } from '../lease.ts'
import { positiveIndex, scores } from '../scores.ts'

const RETRY_MS = 250
const RETRIES = 40

export interface ReplayInput {
  readonly copy: ServingCopy
  readonly config: CopiedConfig
  readonly version: Pick<LoadedVersion, 'infer'>
  readonly imaging: Pick<ImagingPool, 'read'>
}

/** What was found, as the detail of a step. @throws AppError `golden-mismatch` */
export async function replayGolden(o: ReplayInput): Promise<string> {
  const { golden, model, preprocessing } = o.config
  if (!golden || golden.items.length === 0) return 'no golden images'
  let worst = 0
  for (const [index, item] of golden.items.entries()) {
    const image = await readPatiently(o, await readGoldenImage(o.copy, item.file))
    const tensor = image.tensors[0]
    if (!tensor) throw new AppError('golden-mismatch', 'A golden image could not be prepared.')
    const raw = await o.version.infer(tensor)
    const { kind, classes } = model
    const found = scores({ kind, classes, raw, calibration: null }).map((one) => one.uncalibrated)
    // A binary package may store the one probability of its positive class.
    const single = kind === 'binary' && item.probabilities.length === 1
    const given = single ? [found[positiveIndex(classes)] ?? 0] : found
    const difference = largestDifference(given, item.probabilities)
    if (difference > golden.tolerance) {
      throw new AppError(
        'golden-mismatch',
        `Golden image ${index + 1} of ${golden.items.length} gives a probability that differs by ` +
          `${difference.toExponential(1)} from the stored one; ${golden.tolerance} is allowed.`,
      )
    }
    worst = Math.max(worst, difference)
  }
  const count = golden.items.length === 1 ? '1 image' : `${golden.items.length} images`
  const size = `${preprocessing.width} x ${preprocessing.height}`
  return `${count} at ${size}, largest difference ${worst === 0 ? 0 : worst.toExponential(1)} of ${golden.tolerance} allowed`
}

/** Requests may keep the decoders busy just now; that is no reason to refuse a version. */
async function readPatiently(o: ReplayInput, bytes: Uint8Array): Promise<ReadImage> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await o.imaging.read(bytes, { preprocessing: [o.config.preprocessing] })
    } catch (error) {
      const code = isAppError(error) ? error.code : undefined
      if (code === 'unavailable') throw error
      if (code !== 'busy' || attempt === RETRIES) {
        const message = 'A golden image of the package cannot be read.'
        throw new AppError('golden-mismatch', message, { cause: error })
      }
      await delay(RETRY_MS)
    }
  }
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? 0))))
}
