// A full disk is one clear sentence, however deep the error is wrapped.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asAppError, problemOf } from '../../src/app/problem.ts'
import { AppError } from '../../src/errors.ts'
import { GateSteps } from '../../src/inference/gate/gate-steps.ts'
import { refusalOf } from '../../src/registry/versions/register-package.ts'

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: no space left on device, write '/srv/secret/path'`), { code })

test('a full disk or a used up quota is problem 507, and shows no path', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'SQLITE_FULL']) {
    const problem = problemOf(asAppError(systemError(code)))
    assert.equal(problem.status, 507)
    assert.equal(problem.code, 'disk-full')
    assert.match(problem.detail, /disk is full.*free some space/)
    assert.doesNotMatch(JSON.stringify(problem), /secret/)
  }
})

test('a full disk is told as such where another error wraps it', () => {
  const cause = new Error('copying failed', { cause: systemError('ENOSPC') })
  const wrapped = new AppError('load-failed', 'It could not be loaded.', { cause })
  assert.equal(asAppError(wrapped).code, 'disk-full')
  assert.match(refusalOf(wrapped), /disk is full/)
})

test('a gate that fails because the disk is full does not blame the package', async () => {
  const steps = new GateSteps()
  const work = () => Promise.reject(systemError('ENOSPC'))
  await assert.rejects(steps.run('manifest', { code: 'hash-mismatch', work }), {
    code: 'disk-full',
  })
  assert.match(steps.done[0]?.detail ?? '', /disk is full/)
})

test('an error that names itself as its cause is no endless chain', () => {
  const circle: Error & { cause?: unknown } = new Error('round')
  circle.cause = circle
  assert.equal(asAppError(circle).code, 'internal')
})
