// results/convergence.json: what the curves of a training say: best and worst values, how much and how steadily it learnt,
// and whether it had learnt all that it could.
import { z } from 'zod'
import type { EpochRecord } from '../../job.ts'
import { notesOn } from '../../loop/fit-notes.ts'
import { absent, distributionOf, valueOrReason } from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'

const AtEpochSchema = z.strictObject({ value: z.number(), epoch: z.int() })

const SeriesSchema = z.strictObject({
  first: z.number(),
  last: z.number(),
  best: AtEpochSchema,
  worst: AtEpochSchema,
  mean: z.number(),
  standardDeviation: z.number(),
  /** From the first epoch to the best; positive is better. */
  improvement: z.number(),
  /** As a share of the first value. */
  improvementShare: valueOrReason(z.number()),
  /** Of an epoch: slope of the least-squares line. */
  improvementRate: valueOrReason(z.number()),
  /** The same over the last five epochs: near 0 when it stands still. */
  recentImprovementRate: valueOrReason(z.number()),
  /** Standard deviation of what changes from epoch to epoch. */
  unsteadiness: valueOrReason(z.number()),
})

export const ConvergenceFileSchema = z.strictObject({
  schema: z.literal(2),
  epochs: z.int(),
  bestEpoch: z.strictObject({ epoch: z.int(), monitor: z.string(), valLoss: z.number() }),
  endedBy: z.string(),
  epochsSinceBest: z.int(),
  series: z.strictObject({
    trainLoss: SeriesSchema,
    trainAccuracy: SeriesSchema,
    trainPrecision: valueOrReason(SeriesSchema),
    trainRecall: valueOrReason(SeriesSchema),
    trainAuc: valueOrReason(SeriesSchema),
    valLoss: SeriesSchema,
    valAccuracy: SeriesSchema,
    valPrecision: valueOrReason(SeriesSchema),
    valRecall: valueOrReason(SeriesSchema),
    valAuc: valueOrReason(SeriesSchema),
  }),
  /** Validation minus training loss, training minus validation accuracy, at the best epoch: large when learnt by heart. */
  gapAtBestEpoch: z.strictObject({ loss: z.number(), accuracy: z.number() }),
  seconds: z.strictObject({ total: z.number(), perEpoch: z.number() }),
  imagesPerSecond: z.number(),
  conclusion: z.enum([
    'converged',
    'still improving',
    'overfitting',
    'not learning',
    'too short to say',
  ]),
  words: z.string(),
  notes: z.array(z.string()),
})
type Convergence = z.infer<typeof ConvergenceFileSchema>
type Series = z.infer<typeof SeriesSchema>

const RECENT = 5
/** A best validation loss that fell by less than this share of its range since some epochs before stands still. */
const STILL = 0.02
const JUST_NOW = 2
const ONE_EPOCH = 'There was one epoch only.'
const UNDEFINED = 'Not defined in every epoch: only one class has images in the split.'

export async function writeConvergence(c: PackageContext): Promise<void> {
  await writeFiles(c.dir, { 'results/convergence.json': json(analyseConvergence(c.trained)) })
}

export function analyseConvergence(
  trained: Pick<PackageContext['trained'], 'history' | 'bestEpoch' | 'endedBy'>,
): Convergence {
  const { history, bestEpoch, endedBy } = trained
  const best = history.find(({ epoch }) => epoch === bestEpoch) ?? (history[0] as EpochRecord)
  const seconds = history.reduce((sum, one) => sum + one.seconds, 0)
  const of = (name: keyof EpochRecord, goal: 'low' | 'high') => seriesOf(history, name, goal)
  const notes = notesOn(history)
  const sure = (one: ReturnType<typeof of>): Series => one as Series
  const valLoss = sure(of('valLoss', 'low'))
  return {
    schema: 2,
    epochs: history.length,
    bestEpoch: { epoch: best.epoch, monitor: 'validation loss, lowest', valLoss: best.valLoss },
    endedBy,
    epochsSinceBest: history.length - best.epoch,
    series: {
      trainLoss: sure(of('trainLoss', 'low')),
      trainAccuracy: sure(of('trainAccuracy', 'high')),
      trainPrecision: of('trainPrecision', 'high'),
      trainRecall: of('trainRecall', 'high'),
      trainAuc: of('trainAuc', 'high'),
      valLoss,
      valAccuracy: sure(of('valAccuracy', 'high')),
      valPrecision: of('valPrecision', 'high'),
      valRecall: of('valRecall', 'high'),
      valAuc: of('valAuc', 'high'),
    },
    gapAtBestEpoch: {
      loss: best.valLoss - best.trainLoss,
      accuracy: best.trainAccuracy - best.valAccuracy,
    },
    seconds: { total: seconds, perEpoch: seconds / history.length },
    imagesPerSecond: history.reduce((sum, one) => sum + one.imagesPerSecond, 0) / history.length,
    ...conclude(history, { valLoss, notes }),
    notes,
  }
}

function seriesOf(
  history: readonly EpochRecord[],
  name: keyof EpochRecord,
  goal: 'low' | 'high',
): Series | ReturnType<typeof absent> {
  const values = history.map((one) => one[name])
  if (!values.every((value) => value !== null) || values.length === 0) return absent(UNDEFINED)
  const sign = goal === 'high' ? 1 : -1
  const at = (k: number) => ({ value: values[k] ?? 0, epoch: history[k]?.epoch ?? 0 })
  const better = (a: number, b: number): boolean => sign * a > sign * b
  const pick = (wins: (a: number, b: number) => boolean): number =>
    values.reduce((most, value, k) => (wins(value, values[most] ?? value) ? k : most), 0)
  const [best, worst] = [at(pick(better)), at(pick((a, b) => better(b, a)))]
  const first = values[0] ?? 0
  const { mean, standardDeviation } = distributionOf(values)
  const improvement = sign * (best.value - first)
  const rate = (part: readonly number[]) =>
    part.length < 2 ? absent(ONE_EPOCH) : sign * slopeOf(part)
  const changes = values.slice(1).map((value, k) => value - (values[k] ?? value))
  return {
    first,
    last: values.at(-1) ?? first,
    best,
    worst,
    mean,
    standardDeviation,
    improvement,
    improvementShare: first === 0 ? absent('The first value is 0.') : improvement / Math.abs(first),
    improvementRate: rate(values),
    recentImprovementRate: rate(values.slice(-RECENT)),
    unsteadiness:
      changes.length === 0 ? absent(ONE_EPOCH) : distributionOf(changes).standardDeviation,
  }
}

/** Of the least-squares line through (0, v0), (1, v1), …; at least two values. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const over = values.reduce((sum, value, k) => sum + (k - middle) * (value - mean), 0)
  return over / values.reduce((sum, _, k) => sum + (k - middle) ** 2, 0)
}

function conclude(
  history: readonly EpochRecord[],
  o: { readonly valLoss: Series; readonly notes: readonly string[] },
): Pick<Convergence, 'conclusion' | 'words'> {
  const { valLoss, notes } = o
  const { epoch } = valLoss.best
  if (history.length < RECENT) {
    return {
      conclusion: 'too short to say',
      words: `${history.length} epochs are too few to say whether it had learnt all that it could.`,
    }
  }
  if (notes.some((note) => note.includes('underfitting'))) {
    return { conclusion: 'not learning', words: 'The training loss hardly fell.' }
  }
  if (notes.length > 0) {
    return {
      conclusion: 'overfitting',
      words: `The weights of epoch ${epoch} are kept; later epochs overfitted.`,
    }
  }
  const range = Math.max(valLoss.worst.value - valLoss.best.value, Number.EPSILON)
  const before = history.slice(0, -RECENT + JUST_NOW).map((one) => one.valLoss)
  const gained = (Math.min(...before) - valLoss.best.value) / range
  return epoch > history.length - JUST_NOW && gained > STILL
    ? {
        conclusion: 'still improving',
        words: 'The validation loss was still falling at the end: more epochs may help.',
      }
    : {
        conclusion: 'converged',
        words: `The validation loss was lowest in epoch ${epoch} and then stood still.`,
      }
}
