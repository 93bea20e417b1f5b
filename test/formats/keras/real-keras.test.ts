// Real Keras loads what is written here and predicts the same as the graph that is served; onnx's checker and Python's
// onnxruntime accept that graph. For every architecture, with PYTHON naming a Python that has keras, onnx and onnxruntime.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { ARCHITECTURES } from '../../../src/architectures/catalogue.ts'
import { predictionGraph } from '../../../src/engine/prediction-graph.ts'
import { createSession } from '../../../src/engine/session.ts'
import { writeAllKeras } from '../../../src/formats/keras/write/write-keras.ts'

const PYTHON = process.env.PYTHON ?? 'python3'
const CHECK = fileURLToPath(new URL('check-files.py', import.meta.url))
const TOLERANCE = 1e-5

function skipReason(): string | false {
  if (process.env.ROENTGEN_SLOW_TESTS !== '1') return 'set ROENTGEN_SLOW_TESTS=1 to ask Keras'
  try {
    execFileSync(PYTHON, ['-c', 'import keras, onnx, onnxruntime'], { stdio: 'ignore' })
    return false
  } catch {
    return 'PYTHON has no keras, onnx and onnxruntime'
  }
}

/** Leaves nothing at its default: biases, moving statistics, tokens and positions too, a little. */
function shake(model: tf.LayersModel): void {
  let step = 0
  for (const layer of model.layers) {
    const isOwn = /Token|Position|SelfAttention/.test(layer.getClassName())
    const weights = layer.getWeights().map((weight) => {
      if (weight.rank !== 1 && !isOwn) return weight
      const values = Float32Array.from(weight.dataSync(), (v) => v + 0.04 * Math.sin(step++))
      return tf.tensor(values, weight.shape)
    })
    if (weights.length > 0) layer.setWeights(weights)
  }
}

const skip = skipReason()
for (const architecture of ARCHITECTURES) {
  const { name, inputSize: side } = architecture
  test(`${name}: Keras predicts from all three files what is served`, { skip }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'roentgen-keras-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const size = { height: side, width: side, channels: 3, outputs: 3 } as const
    const model = architecture.build({ ...size, seed: 1 })
    shake(model)
    await writeAllKeras(model, join(folder, 'model'))
    const { onnx } = predictionGraph(model, { lastActivation: 'auto' })
    model.dispose()
    await writeFile(join(folder, 'model.onnx'), onnx)
    const scale = architecture.preprocessing.scale === 1 ? 1 : 1 / 128
    const image = Float32Array.from(
      { length: side * side * 3 },
      (_, i) => ((i * 7919) % 256) * scale,
    )
    await writeFile(join(folder, 'input.bin'), new Uint8Array(image.buffer))
    const session = await createSession(onnx, { threads: 2 })
    const { logits } = await session.run({ input: { data: image, dims: [1, side, side, 3] } })
    await session.release()
    const expected = Float32Array.from(logits?.data ?? [])
    await writeFile(join(folder, 'expected.bin'), new Uint8Array(expected.buffer))
    const said = execFileSync(PYTHON, [CHECK, folder, String(side), '3'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { classes, ...found } = JSON.parse(said.trim().split('\n').at(-1) ?? '{}')
    t.diagnostic(`logits ${[...expected].map((v) => v.toFixed(3))}: ${JSON.stringify(found)}`)
    assert.deepEqual(classes, ['keras'], 'no layer of ours is needed')
    const largest = Math.max(1, ...expected.map(Math.abs))
    for (const [file, difference] of Object.entries(found)) {
      assert.ok(Number(difference) <= TOLERANCE * largest, `${file} differs by ${difference}`)
    }
  })
}
