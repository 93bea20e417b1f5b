// No model reads a file of the machine that runs it: numbers from elsewhere are found in every place of an ONNX file.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import * as ort from 'onnxruntime-node'
import { findExternalData } from '../../src/engine/onnx/external-data.ts'
import { encodeModel } from '../../src/engine/onnx/model.ts'
import { MessageWriter } from '../../src/engine/onnx/protobuf.ts'
import { createSession } from '../../src/engine/session.ts'
import { isAppError } from '../../src/errors.ts'
import { EXTERNAL_MODELS } from '../support/external-model.ts'

const CANARY = 'CANARY-4c1f9a'
const MADE = { location: 'secret.txt', count: CANARY.length, side: 16 }

/** The file lies in the working folder, where ONNX Runtime looks for it. */
function withSecret(t: test.TestContext): void {
  const before = process.cwd()
  const dir = mkdtempSync(join(tmpdir(), 'roentgen-external-'))
  writeFileSync(join(dir, MADE.location), CANARY)
  process.chdir(dir)
  t.after(() => {
    process.chdir(before)
    rmSync(dir, { recursive: true, force: true })
  })
}

test('bare ONNX Runtime answers with a file of the machine, so the refusals below are of real models', async (t) => {
  withSecret(t)
  for (const [where, make] of Object.entries(EXTERNAL_MODELS).slice(0, -1)) {
    const session = await ort.InferenceSession.create(make(MADE))
    const image = new ort.Tensor('float32', new Float32Array(256), [1, 16, 16, 1])
    const { logits } = await session.run({ image })
    assert.ok(logits?.data instanceof Float32Array)
    assert.equal(String.fromCharCode(...logits.data), CANARY, where)
    await session.release()
  }
})

for (const [where, make] of Object.entries(EXTERNAL_MODELS)) {
  test(`no session is made of a model whose numbers are in another file, named in ${where}`, async (t) => {
    withSecret(t)
    const bytes = make(MADE)
    assert.notEqual(findExternalData(bytes), undefined)
    await assert.rejects(createSession(bytes, { threads: 1 }), (error) => {
      assert.ok(isAppError(error))
      assert.equal(error.code, 'load-failed')
      assert.match(error.message, /from another file, which is refused/)
      return true
    })
  })
}

test('what another reader could take for another field is damage, not a model', async () => {
  const plain = encodeModel({ nodes: [], initializers: new Map(), inputs: [], outputs: [] })
  assert.equal(findExternalData(plain), undefined)
  const after = (...bytes: number[]) => Buffer.concat([plain, Uint8Array.from(bytes)])
  const cases: readonly [Uint8Array, RegExp][] = [
    // A group, field 7.
    [after((7 << 3) | 3, (7 << 3) | 4), /wire type 3/],
    // Field 7 with a 33rd bit that a reader of 32 bits cuts off.
    [after(0xba, 0x80, 0x80, 0x80, 0x90, 0x00, 0x00), /too large/],
    [after(0x3a, 0x05, 0x00), /ends within a field/],
    [after(0x02, 0x00), /field number 0/],
    [after(0x3a), /ends within a number/],
    [after(0x08, ...new Array<number>(11).fill(0x80)), /too long/],
  ]
  for (const [bytes, what] of cases) {
    assert.throws(() => findExternalData(bytes), what)
    await assert.rejects(createSession(bytes, { threads: 1 }), { code: 'load-failed' })
  }
  let nested = new MessageWriter()
  for (let depth = 0; depth < 60; depth++) {
    const attribute = new MessageWriter().message(6, nested)
    nested = new MessageWriter().message(1, new MessageWriter().message(5, attribute))
  }
  assert.throws(() => findExternalData(new MessageWriter().message(7, nested).finish()), /deeply/)
})

test("a model in ONNX Runtime's own flat format, which is not searched, is refused", async () => {
  const bytes = Buffer.concat([Buffer.from([24, 0, 0, 0]), Buffer.from('ORTM'), Buffer.alloc(64)])
  await assert.rejects(createSession(bytes, { threads: 1 }), { code: 'load-failed' })
})
