// Work on many images beside people's requests: it waits instead of leaving images out.
import assert from 'node:assert/strict'
import test from 'node:test'
import { whenFree } from '../../src/app/diagnosis/when-free.ts'
import { AppError } from '../../src/errors.ts'

const staying = { leaving: new AbortController().signal }

function refusing(times: number, code: 'busy' | 'loading' | 'undecodable-image') {
  let tries = 0
  const work = async () => {
    tries += 1
    if (tries <= times) throw new AppError(code, 'Not now.')
    return tries
  }
  return { work, tries: () => tries }
}

test('what is refused as busy or loading is tried again', async () => {
  assert.equal(await whenFree(staying, refusing(2, 'busy')), 3)
  assert.equal(await whenFree(staying, refusing(1, 'loading')), 2)
})

test('what is refused for good is not', async () => {
  const { work, tries } = refusing(1, 'undecodable-image')
  await assert.rejects(whenFree(staying, { work }), { code: 'undecodable-image' })
  assert.equal(tries(), 1)
})

test('nobody waits for a server that ends, or for whoever has gone', async () => {
  const signal = AbortSignal.abort()
  for (const [home, gone] of [
    [{ leaving: signal }, undefined],
    [staying, signal],
  ] as const) {
    const { work, tries } = refusing(5, 'busy')
    await assert.rejects(whenFree(home, { work, signal: gone }), { code: 'busy' })
    assert.equal(tries(), 1)
  }
})
