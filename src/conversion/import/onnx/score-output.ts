// Which output of an ONNX graph is the row of scores: found by running the graph once, for files need not say their shapes.
import { createSession, type Session, type TensorValue } from '../../../engine/session.ts'
import { AppError, messageOf } from '../../../errors.ts'
import type { ProtoModel } from '../../../formats/onnx/model-proto.ts'
import { type OutputMeaning, outputMeaning } from '../../../formats/onnx/output-meaning.ts'

export interface ScoreOutput extends OutputMeaning {
  readonly name: string
  readonly count: number
  /** Other outputs that hold numbers, which nobody reads. */
  readonly others: readonly string[]
}

const SCORES = /logit|prob|score|softmax|sigmoid/i

interface Asked {
  readonly model: ProtoModel
  /** Names as the file has them, by the names that are read. */
  readonly madeFrom: ReadonlyMap<string, string>
  /** How many classes are known already. */
  readonly classes: number | undefined
}

/** @param given of one image. @throws AppError `invalid-package` in one sentence */
export function scoreOutput(
  given: Readonly<Record<string, TensorValue>>,
  { model, madeFrom, classes }: Asked,
): ScoreOutput {
  const rows = Object.entries(given)
    .filter(([, { dims }]) => dims.filter((n) => n !== 1).length <= 1)
    .map(([name, { data }]) => ({ name, count: data.length }))
    .filter(({ count }) => count > 0)
  // What is called scores is them, also where another row happens to be as long as the classes.
  const called = rows.filter(({ name }) => SCORES.test(madeFrom.get(name) ?? name))
  const possible = called.length > 0 ? called : rows
  const fitting = possible.filter(
    ({ count }) => count === classes || (count === 1 && classes === 2),
  )
  const candidates = (fitting.length > 0 ? fitting : possible).map((row) => ({
    ...row,
    ...outputMeaning(model, madeFrom.get(row.name) ?? row.name),
  }))
  const certain = candidates.filter(({ activation }) => activation !== undefined)
  const [chosen] = candidates.length === 1 ? candidates : certain.length === 1 ? certain : []
  if (chosen) {
    const others = Object.keys(given).filter((name) => name !== chosen.name)
    return { ...chosen, others }
  }
  if (candidates.length === 0) {
    const message = 'The model must give one row of scores for an image.'
    throw new AppError('invalid-package', message)
  }
  const names = candidates.map(({ name }) => name.slice(0, 40)).join(', ')
  throw new AppError(
    'invalid-package',
    `The model gives several rows of scores (${names.slice(0, 200)}); export it with one of them.`,
  )
}

/** Runs it on one grey image. @throws the error of ONNX Runtime */
export async function runOnce(
  onnx: Uint8Array,
  { name, dims }: { readonly name: string; readonly dims: readonly number[] },
): Promise<Readonly<Record<string, TensorValue>>> {
  const session: Session = await createSession(onnx, { threads: 1 })
  try {
    const size = dims.reduce((product, n) => product * n, 1)
    return await session.run({ [name]: { data: new Float32Array(size).fill(0.5), dims } })
  } finally {
    await session.release()
  }
}

/** What ONNX Runtime says, without its numbers and places. */
export function cannotRun(cause: unknown): AppError {
  const said = messageOf(cause instanceof Error ? (cause.cause ?? cause) : cause)
  const missing =
    /No (?:opset import|op registered|Op registered|schema registered) for (\S+)/.exec(said)
  const why = missing ? `it knows no operator ${missing[1]?.slice(0, 40)}` : 'export it again'
  return new AppError('invalid-package', `ONNX Runtime cannot run this model: ${why}.`, { cause })
}
