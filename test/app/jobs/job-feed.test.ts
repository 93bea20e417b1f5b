// Events of a job: whoever comes late, or comes back, gets each kept one exactly once.
import assert from 'node:assert/strict'
import test from 'node:test'
import { jobStore, kindOf } from '../../support/job-queue.ts'
import { ANNA } from '../../support/registry.ts'

const LINES = 60

async function written(t: test.TestContext) {
  const { begun } = await jobStore(t)
  const go = Promise.withResolvers<void>()
  const kind = kindOf({
    run: async ({ log, progress }) => {
      await go.promise
      for (let n = 1; n <= LINES; n++) {
        progress(n, LINES)
        await log(`line ${n}`)
      }
      return undefined
    },
  })
  const queue = await begun(kind)
  const { id } = await queue.add('work', { input: {}, subject: null, actor: ANNA })
  return { queue, id, go: go.resolve }
}

test('followers that come at any moment see every kept event once, in order', async (t) => {
  const { queue, id, go } = await written(t)
  const ended = new AbortController()
  const kept = async (lastId?: string): Promise<string[]> => {
    const ids: string[] = []
    for await (const event of queue.feed.follow({ job: id, lastId, signal: ended.signal })) {
      if (event.isKept) ids.push(event.id)
      if (event.type === 'state' && (event.data as { state: string }).state === 'finished') break
    }
    return ids
  }
  const early = kept()
  go()
  const midst: Promise<string[]>[] = []
  for await (const { type } of queue.feed.follow({ job: id, signal: ended.signal })) {
    // One more comes at each line while the lines are being written.
    if (type === 'log') midst.push(kept())
    if (midst.length === LINES) break
  }
  const all = Array.from({ length: LINES + 3 }, (_, k) => String(k + 1))
  assert.deepEqual(await early, all)
  for (const one of midst) assert.deepEqual(await one, all)
  for (const last of [1, 2, 30, LINES + 2]) {
    assert.deepEqual(await kept(String(last)), all.slice(last), `behind ${last}`)
    assert.deepEqual(await kept(`${last}.7`), all.slice(last), 'a passing event was seen last')
  }
  for (const foreign of ['', 'nonsense', '-4', '99999', '0']) {
    assert.deepEqual(await kept(foreign), all, `"${foreign}" was never given out`)
  }
})

test('a follower that leaves and comes back at every event misses none and sees none twice', async (t) => {
  const { queue, id, go } = await written(t)
  const seen: string[] = []
  let lastId: string | undefined
  let isOver = false
  go()
  while (!isOver) {
    const gone = new AbortController()
    for await (const event of queue.feed.follow({ job: id, lastId, signal: gone.signal })) {
      lastId = event.id
      if (event.isKept) seen.push(event.id)
      isOver = event.type === 'state' && (event.data as { state: string }).state === 'finished'
      break
    }
  }
  assert.deepEqual(
    seen,
    Array.from({ length: LINES + 3 }, (_, k) => String(k + 1)),
  )
})
