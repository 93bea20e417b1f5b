// Which of a version's two graphs answers, when nobody has said: the one in eight bits if it proves itself and is measurably
// faster on this machine. Both run in fresh hosts, in turn, so that a busy machine disturbs them alike.
import { isAppError } from '../../errors.ts'
import type { ServedVersion } from '../served-version.ts'

/** Runs of each graph that count; one before them does not. */
const ROUNDS = 5
/** What is gained below this is not worth other numbers: int8 must take at most so much of float32's time. */
const FASTER = 0.9

export interface BothPrecisions {
  readonly float32: ServedVersion
  readonly int8: ServedVersion
  /** Replays the golden images of a version that is loaded. @throws AppError `golden-mismatch` */
  readonly prove: (served: ServedVersion) => Promise<unknown>
}

export interface PrecisionChoice {
  readonly chosen: ServedVersion
  /** The figures, for the timeline. */
  readonly detail: string
}

/** @throws AppError when float32 cannot be loaded; that int8 cannot is no failure but a reason for float32 */
export async function choosePrecision(both: BothPrecisions): Promise<PrecisionChoice> {
  const { float32, int8 } = both
  await float32.start()
  try {
    await int8.start()
    await both.prove(int8)
    const times = await measureInTurn({ float32, int8 })
    const isFaster = times.int8 <= FASTER * times.float32
    const figures = `int8 takes ${shown(times.int8)}, float32 ${shown(times.float32)} for an image (medians of ${ROUNDS} in turn)`
    return {
      chosen: isFaster ? int8 : float32,
      detail: `${figures}: ${isFaster ? 'int8' : 'float32'} chosen`,
    }
  } catch (error) {
    if (!isAppError(error) || !['load-failed', 'golden-mismatch'].includes(error.code)) throw error
    return { chosen: float32, detail: `float32 chosen, because int8 failed: ${error.message}` }
  }
}

/** Milliseconds of one image in each host, the wait for a turn left out. */
async function measureInTurn(o: Pick<BothPrecisions, 'float32' | 'int8'>) {
  const { height, width, channels } = o.float32.loaded.config.preprocessing
  const image = new Float32Array(height * width * channels)
  const times: Record<'float32' | 'int8', number[]> = { float32: [], int8: [] }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const precision of ['float32', 'int8'] as const) {
      const { inferMs } = await o[precision].inferUrgently(image)
      if (round > 0) times[precision].push(inferMs)
    }
  }
  return { float32: median(times.float32), int8: median(times.int8) }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.POSITIVE_INFINITY
}

function shown(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
