// A machine without ONNX Runtime is told so before anything starts.
import assert from 'node:assert/strict'
import test from 'node:test'
import { checkNativeEngine } from '../../src/engine/native-engine.ts'

test('this machine has the engine, and one that has none is told what to do', () => {
  checkNativeEngine()
  assert.throws(() => checkNativeEngine({ platform: 'sunos', arch: 'sparc' }), {
    code: 'unavailable',
    message: /for sunos-sparc is not installed; run "npm ci"/,
  })
})
