// Golden images of an imported model: the drawn pictures of trial-images.ts with the outputs that the graph gave on this machine when it
// was imported, so that every later load can be held against them. They show that the graph still computes the same,
// nothing about how good it is.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSession } from '../../engine/session.ts'
import { AppError } from '../../errors.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import { keptPng } from '../../imaging/rendition.ts'
import type { RawScores } from '../../inference/host/raw-output.ts'
import { type ClassScore, scores } from '../../inference/scores.ts'
import type { Golden, Graph } from '../../package/schema.ts'
import type { ModelMeaning } from './converted-model.ts'
import { rawScores, trialImages } from './trial-images.ts'

/** The same graph on another processor differs by rounding only; measured below 1e-6. */
const TOLERANCE = 1e-3

export interface GoldenInput {
  readonly onnx: Uint8Array
  readonly graph: Omit<Graph, 'file'>
  readonly preprocessing: Preprocessing
  readonly meaning: Pick<ModelMeaning, 'kind' | 'classes'>
}

/**
 * Writes results/golden below `packageDir`. @throws AppError `invalid-package` when the graph cannot be run or gives what
 * is no score
 */
export async function writeGoldenImages(packageDir: string, input: GoldenInput): Promise<void> {
  const folder = join(packageDir, 'results', 'golden')
  await mkdir(folder, { recursive: true })
  const session = await createSession(input.onnx, { threads: 1 }).catch((cause: unknown) => {
    throw new AppError('invalid-package', 'ONNX Runtime cannot load this model; export it again.', {
      cause,
    })
  })
  const items: Golden['items'] = []
  try {
    for (const [name, pixels] of Object.entries(trialImages())) {
      const raw = await rawScores(session, { ...input, pixels })
      const given = scoresOf(raw, input.meaning)
      const file = `results/golden/${name}.png`
      await writeFile(join(packageDir, file), await keptPng(pixels))
      items.push({ file, label: null, probabilities: given.map((one) => one.uncalibrated) })
    }
  } finally {
    await session.release()
  }
  const golden: Golden = { schema: 1, tolerance: TOLERANCE, items }
  await writeFile(join(folder, 'golden.json'), `${JSON.stringify(golden, null, 2)}\n`)
}

function scoresOf(
  raw: RawScores,
  { kind, classes }: GoldenInput['meaning'],
): readonly ClassScore[] {
  const given = raw.logits ?? raw.probabilities ?? new Float32Array()
  if (!given.every(Number.isFinite)) {
    throw new AppError(
      'invalid-package',
      'For a test image the model gives values that are not finite numbers, so its weights are damaged; export it from an earlier checkpoint.',
    )
  }
  return scores({ kind, classes, raw, calibration: null })
}
