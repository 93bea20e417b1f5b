// How long one image takes by a package's graph: the median of some runs, in whatever process calls it. It blocks that
// process, so a server never calls it itself.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSession } from '../../engine/session.ts'
import { readServingConfig } from '../../package/serving-config.ts'

const RUNS = 9

/** Milliseconds, with the explanation, after two runs that do not count. */
export async function measureLatency(packageDir: string, threads: number): Promise<number> {
  const { model, preprocessing } = await readServingConfig(packageDir)
  const bytes = await readFile(join(packageDir, model.graph.file))
  const session = await createSession(bytes, { threads })
  try {
    const { width, height, channels } = preprocessing
    const { name, layout } = model.graph.input
    const dims = layout === 'nhwc' ? [1, height, width, channels] : [1, channels, height, width]
    const input = { data: new Float32Array(width * height * channels).fill(0.5), dims }
    const times: number[] = []
    for (let run = -2; run < RUNS; run++) {
      const started = performance.now()
      await session.run({ [name]: input })
      if (run >= 0) times.push(performance.now() - started)
    }
    return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN
  } finally {
    await session.release()
  }
}
