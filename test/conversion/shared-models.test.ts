// The ONNX models of the shared data: networks of full depth and single operators give the outputs that came with them, or
// are refused in one sentence.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { convertOnnx } from '../../src/conversion/import/convert-onnx.ts'
import { createSession } from '../../src/engine/session.ts'
import { isAppError } from '../../src/errors.ts'
import { floatsOf } from '../../src/formats/onnx/constant-tensor.ts'
import { readModel } from '../../src/formats/onnx/model-proto.ts'
import { fields } from '../../src/formats/onnx/wire.ts'
import { sharedPath, skipWithout } from '../support/shared.ts'

const LIGHT = 'data/models/onnx-light'
const NODES = 'data/models/onnx-node'

async function tensorOf(path: string) {
  const tensor = floatsOf(fields(await readFile(path)))
  assert.ok(tensor)
  return { data: tensor.values, dims: tensor.dims }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0)
}

test('networks of full depth are taken over and give the outputs that came with them', {
  skip: skipWithout(LIGHT),
}, async (t) => {
  const folder = sharedPath(LIGHT) ?? ''
  for (const name of ['light_densenet121', 'light_resnet50', 'light_squeezenet']) {
    const model = await convertOnnx(join(folder, `${name}.onnx`))
    assert.equal(model.outputCount, 1000)
    const expected = await tensorOf(join(folder, `${name}_output_0.pb`))
    const { width, height, channels } = model.input
    const dims = [1, channels, height, width]
    const count = channels * height * width
    // The image of ONNX's own tests.
    const data = Float32Array.from({ length: count }, (_, i) => i / count)
    const session = await createSession(model.onnx, { threads: 1 })
    const given = await session.run({ [model.graph.input.name]: { data, dims } })
    await session.release()
    const { logits, probabilities } = model.graph.outputs
    const row = given[logits ?? probabilities ?? '']?.data ?? new Float32Array()
    const difference = largestDifference(row, expected.data)
    t.diagnostic(`${name}: ${difference.toExponential(1)}, explained: ${model.explanation?.layer}`)
    assert.ok(difference <= 1e-5 * Math.max(1, ...expected.data), `${name}: ${difference}`)
  }
})

test('single operators of a set that is too old are refused in one sentence that says which', {
  skip: skipWithout(NODES),
}, async () => {
  const folder = sharedPath(NODES) ?? ''
  const names = await readdir(folder)
  assert.equal(names.length, 11)
  for (const name of names) {
    const path = join(folder, name, 'model.onnx')
    assert.equal(readModel(await readFile(path)).opset, 6)
    await assert.rejects(convertOnnx(path), (error) => {
      assert.ok(isAppError(error), `${name}: ${error}`)
      assert.match(error.message, /^The model is of ONNX operator set 6; [^\n]+\.$/)
      return true
    })
  }
})
