// Whether the numbers that a graph gives are probabilities or logits: as was said, else as its last operators show, else as
// they look on drawn images. What was taken, and why, is told to the user.
import { createSession } from '../../engine/session.ts'
import { AppError } from '../../errors.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import type { Certainty, ConvertedModel } from './converted-model.ts'
import type { OutputChoice } from './foreign-fields.ts'
import { rawScores, trialImages } from './trial-images.ts'

export interface Judged {
  readonly taken: 'logits' | 'probabilities'
  /** Sentences for the user; empty when the file is plain about it and nobody said otherwise. */
  readonly notes: readonly string[]
  /** What would give such probabilities, for guessing the kind of condition. */
  readonly lastActivation: 'sigmoid' | 'softmax' | undefined
}

type Look = 'shares' | 'unit' | 'other'

/** Of 16-bit floats, whose sums are rounded. */
const SUM_TOLERANCE = 2e-3
const RANGE_TOLERANCE = 1e-4

/**
 * The model with its outputs under the name of what they are.
 * @throws AppError `invalid` when they were said to be probabilities and cannot be
 */
export async function judgeOutputs(
  model: ConvertedModel,
  { said, preprocessing }: { said: OutputChoice; preprocessing: Preprocessing },
): Promise<{ model: ConvertedModel; judged: Judged }> {
  const rows = await trialRows(model, preprocessing)
  const look = lookOf(rows)
  const judged = decide({ said, look, rows, model })
  const { logits, probabilities } = model.graph.outputs
  const name = logits ?? probabilities
  const outputs = {
    ...model.graph.outputs,
    logits: judged.taken === 'logits' ? name : null,
    probabilities: judged.taken === 'probabilities' ? name : null,
  }
  return { model: { ...model, graph: { ...model.graph, outputs } }, judged }
}

async function trialRows(
  { onnx, graph }: ConvertedModel,
  preprocessing: Preprocessing,
): Promise<readonly (readonly number[])[]> {
  const session = await createSession(onnx, { threads: 1 }).catch((cause: unknown) => {
    const message = 'ONNX Runtime cannot load this model; export it again.'
    throw new AppError('invalid-package', message, { cause })
  })
  try {
    const rows: number[][] = []
    for (const pixels of Object.values(trialImages())) {
      const { logits, probabilities } = await rawScores(session, { graph, preprocessing, pixels })
      rows.push([...(logits ?? probabilities ?? [])])
    }
    return rows
  } finally {
    await session.release()
  }
}

/** How the rows look: between 0 and 1 and each of sum 1; between 0 and 1; or neither. */
export function lookOf(rows: readonly (readonly number[])[]): Look {
  const isUnit = rows.every((row) =>
    row.every((value) => value >= -RANGE_TOLERANCE && value <= 1 + RANGE_TOLERANCE),
  )
  if (!isUnit) return 'other'
  const areShares = rows.every(
    (row) => row.length > 1 && Math.abs(row.reduce((a, b) => a + b, 0) - 1) <= SUM_TOLERANCE,
  )
  return areShares ? 'shares' : 'unit'
}

interface Evidence {
  readonly said: OutputChoice
  readonly look: Look
  readonly rows: readonly (readonly number[])[]
  readonly model: Pick<ConvertedModel, 'certainty' | 'lastActivation'>
}

function decide({ said, look, rows, model }: Evidence): Judged {
  const { certainty, lastActivation: traced } = model
  if (said === 'probabilities' && look === 'other' && certainty !== 'logits') {
    const values = rows.flat()
    const [low, high] = [Math.min(...values), Math.max(...values)]
    throw new AppError(
      'invalid',
      `The outputs were said to be probabilities, but on drawn images they reach from ${low.toPrecision(3)} to ${high.toPrecision(3)}.`,
      { extra: { field: 'outputs' } },
    )
  }
  const taken = takenFor(said, { look, certainty })
  const guessed = look === 'shares' ? 'softmax' : look === 'unit' ? 'sigmoid' : undefined
  return {
    taken,
    notes: notesOf({ said, look, certainty, taken, traced }),
    lastActivation: traced ?? (taken === 'probabilities' ? guessed : undefined),
  }
}

function takenFor(
  said: OutputChoice,
  { look, certainty }: { look: Look; certainty: Certainty },
): Judged['taken'] {
  // The graph gives what is before the last activation, whose result the user means.
  if (certainty === 'logits') return 'logits'
  if (said !== 'auto') return said
  if (certainty === 'probabilities' || look === 'shares') return 'probabilities'
  return look === 'unit' && certainty === 'open' ? 'probabilities' : 'logits'
}

const LOOKS = {
  shares: 'lie between 0 and 1 and sum to 1',
  unit: 'lie between 0 and 1',
  other: 'do not lie between 0 and 1',
} as const

function notesOf(o: {
  readonly said: OutputChoice
  readonly look: Look
  readonly certainty: Certainty
  readonly taken: Judged['taken']
  readonly traced: Judged['lastActivation']
}): readonly string[] {
  const { said, look, certainty, taken, traced } = o
  const looks = `On drawn images the outputs ${LOOKS[look]}`
  if (certainty === 'logits') return []
  if (said !== 'auto') {
    const isOdd = taken === 'logits' && look !== 'other'
    return isOdd ? [`${looks}, as probabilities do; they are taken for logits, as was chosen.`] : []
  }
  if (certainty === 'probabilities') {
    const by = traced ? `the graph ends in ${traced}` : 'its operators leave nothing else'
    return [`The outputs are taken for probabilities: ${by}.`]
  }
  if (taken === 'probabilities') {
    return [
      `${looks}: they look like probabilities and are taken for such; choose "outputs": "logits" if they are not.`,
    ]
  }
  if (look === 'other') {
    return certainty === 'open' ? [`${looks}: they are taken for logits.`] : []
  }
  return [
    `${looks}: they look like probabilities, but come from a linear layer and are taken for logits; choose "outputs": "probabilities" if they are such.`,
  ]
}
