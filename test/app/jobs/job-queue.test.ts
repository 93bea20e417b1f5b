// The queue of jobs: order, retries, cancelling and watchdogs.
import assert from 'node:assert/strict'
import test from 'node:test'
import { TryLater } from '../../../src/app/jobs/job-kind.ts'
import { jobStore, kindOf, untilAborted } from '../../support/job-queue.ts'
import { ANNA } from '../../support/registry.ts'

const SUBJECT = { type: 'version', id: 'pneumonia/tiny@1' } as const
const request = (input: unknown = {}) => ({ input, subject: SUBJECT, actor: ANNA })

test('jobs of one lane run one after the other, in the order in which they were added', async (t) => {
  const { begun, store } = await jobStore(t)
  const order: string[] = []
  const work = (name: string) =>
    kindOf<{ n: number }>({
      name,
      run: async ({ input, progress }) => {
        order.push(`${name} ${input.n} begins`)
        progress(1, 2)
        await new Promise((resolve) => setImmediate(resolve))
        order.push(`${name} ${input.n} ends`)
        return undefined
      },
    })
  const queue = await begun(work('one'), work('two'))
  const [first] = await queue.addAll('one', [request({ n: 1 }), request({ n: 2 })])
  await queue.add('two', request({ n: 3 }))
  await queue.whenIdle()
  assert.deepEqual(order, [
    ...['one 1 begins', 'one 1 ends', 'one 2 begins', 'one 2 ends'],
    ...['two 3 begins', 'two 3 ends'],
  ])
  const job = await queue.get(first?.id ?? '')
  assert.deepEqual(
    [job.state, job.attempt, job.by, job.progress, job.subject],
    ['finished', 1, 'anna', { done: 1, total: 2 }, SUBJECT],
  )
  assert.ok(job.startedAt && job.endedAt)
  const events = await store.events({ job: job.id, after: 0 })
  const states = events.map(({ seq, data }) => [seq, (data as { state: string }).state])
  assert.deepEqual(states, [
    [1, 'queued'],
    [2, 'running'],
    [3, 'finished'],
  ])
})

test('a wider lane runs as many at the same time as it is wide, and no more', async (t) => {
  const { begun } = await jobStore(t)
  let running = 0
  let most = 0
  const gate = Promise.withResolvers<void>()
  const run = async () => {
    running += 1
    most = Math.max(most, running)
    if (running === 2) gate.resolve()
    await gate.promise
    running -= 1
    return undefined
  }
  const queue = await begun(kindOf({ width: 2, run }))
  await queue.addAll('work', [request(), request(), request(), request()])
  await queue.whenIdle()
  assert.equal(most, 2)
})

test('what failed for now is tried again after a growing pause, and given up in the end', async (t) => {
  const { begun, clock } = await jobStore(t)
  const waits = [1000, 60_000]
  const run = async () => Promise.reject(new TryLater('The far end is busy.'))
  const queue = await begun(kindOf({ run, retryWaitMs: (attempt) => waits[attempt - 1] }))
  const { id } = await queue.add('work', request())
  for (const [k, wait] of waits.entries()) {
    await queue.whenIdle()
    const job = await queue.get(id)
    assert.deepEqual([job.state, job.attempt], ['queued', k + 1])
    assert.equal(job.reason, 'The far end is busy.')
    assert.equal(Date.parse(job.dueAt) - clock.now().getTime(), wait)
    clock.pass(wait - 1)
    queue.wake()
    await queue.whenIdle()
    assert.equal((await queue.get(id)).attempt, k + 1, 'not before its time')
    clock.pass(1)
    queue.wake()
  }
  await queue.whenIdle()
  const job = await queue.get(id)
  assert.deepEqual([job.state, job.attempt, job.reason], ['failed', 3, 'The far end is busy.'])
  assert.ok(job.endedAt)
})

test('of an unexpected failure the reason tells nothing that is not for people', async (t) => {
  const { begun } = await jobStore(t)
  const run = async () => Promise.reject(new Error('/home/anna/secret is not a number'))
  const queue = await begun(kindOf({ run }))
  const { id } = await queue.add('work', request())
  const { state, reason } = await queue.whenRested(id)
  assert.equal(state, 'failed')
  assert.doesNotMatch(reason ?? '', /anna/)
})

test('cancelling ends what runs, what waits and what is held back, once', async (t) => {
  const { begun } = await jobStore(t)
  const begins = Promise.withResolvers<void>()
  const rested: string[] = []
  const kind = kindOf({
    run: (run) => {
      begins.resolve()
      return untilAborted(run)
    },
    onRest: async ({ id, state }) => void rested.push(`${id} ${state}`),
  })
  const queue = await begun(kind, kindOf({ name: 'stubborn', isCancellable: false, lane: 'other' }))
  const [running, waiting, held] = await queue.addAll('work', [request(), request(), request()])
  assert.ok(running && waiting && held)
  await begins.promise
  await queue.change(held.id, { state: 'paused', from: ['queued'] })
  for (const { id } of [held, waiting, running]) {
    const { state, reason, endedAt } = await queue.cancel(id)
    assert.deepEqual([state, reason], ['cancelled', 'Cancelled by user.'])
    assert.ok(endedAt)
    await assert.rejects(queue.cancel(id), { code: 'conflict' })
  }
  assert.deepEqual(
    rested.filter((line) => line.endsWith('cancelled')),
    [held, waiting, running].map(({ id }) => `${id} cancelled`),
  )
  const stubborn = await queue.add('stubborn', { ...request(), dueAt: '2999-01-01T00:00:00.000Z' })
  await assert.rejects(queue.cancel(stubborn.id), { code: 'conflict' })
  await assert.rejects(queue.cancel('jb_none'), { code: 'unknown-job' })
})

test('work that finished although it was told to end has finished', async (t) => {
  const { begun } = await jobStore(t)
  const begins = Promise.withResolvers<void>()
  const run = async (job: Parameters<typeof untilAborted>[0]) => {
    begins.resolve()
    await untilAborted(job).catch(() => {})
    return { reason: 'It was done already.' }
  }
  const queue = await begun(kindOf({ run }))
  const { id } = await queue.add('work', request())
  await begins.promise
  assert.equal((await queue.cancel(id)).state, 'finished')
})

test('work that stands still or takes too long is ended, and the lane goes on', async (t) => {
  const { begun } = await jobStore(t)
  const hung = kindOf({ name: 'hung', stallLimitMs: 20, run: untilAborted })
  const slow = kindOf<{ ticks: number }>({
    name: 'slow',
    ...{ stallLimitMs: 10_000, timeLimitMs: 30 },
    run: untilAborted,
  })
  const kept = kindOf({ name: 'kept', afterRestart: 'wait', stallLimitMs: 20, run: untilAborted })
  const queue = await begun(hung, slow, kept, kindOf({}))
  const ids = []
  for (const kind of ['hung', 'slow', 'kept', 'work'])
    ids.push((await queue.add(kind, request())).id)
  await queue.whenIdle()
  const jobs = await Promise.all(ids.map((id) => queue.get(id)))
  assert.deepEqual(
    jobs.map(({ state, reason }) => [state, reason]),
    [
      ['failed', 'It made no progress for 0 seconds and was ended.'],
      ['failed', 'It took longer than 0 seconds and was ended.'],
      ['interrupted', 'It made no progress for 0 seconds and was ended.'],
      ['finished', null],
    ],
  )
})

test('every progress gives the watchdog its whole time again', async (t) => {
  const { begun } = await jobStore(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const aborted: boolean[] = []
  const queue = await begun(
    kindOf({
      stallLimitMs: 400,
      run: async ({ progress, signal }) => {
        for (let done = 1; done <= 5; done++) {
          t.mock.timers.tick(399)
          aborted.push(signal.aborted)
          progress(done, 5)
        }
        t.mock.timers.tick(400)
        aborted.push(signal.aborted)
        throw signal.reason
      },
    }),
  )
  const { id } = await queue.add('work', request())
  const { state, progress } = await queue.whenRested(id)
  assert.deepEqual([state, progress], ['failed', { done: 5, total: 5 }])
  assert.deepEqual(aborted, [false, false, false, false, false, true])
})

test('jobs are listed newest first, by kind and state, page by page, and forgotten in time', async (t) => {
  const { begun, clock } = await jobStore(t)
  const queue = await begun(
    kindOf({ keepMs: 1000 }),
    kindOf({ name: 'kept', lane: 'kept' }),
    kindOf({ name: 'fails', lane: 'fails', run: () => Promise.reject(new TryLater('No.')) }),
  )
  const added = await queue.addAll(
    'work',
    Array.from({ length: 5 }, () => request()),
  )
  await queue.add('kept', request())
  await queue.add('fails', request())
  await queue.whenIdle()
  const listed = []
  let cursor: string | undefined
  do {
    const page = await queue.list({ kind: 'work', limit: 2, cursor })
    listed.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  assert.deepEqual(listed, added.map(({ id }) => id).toReversed())
  assert.deepEqual(
    (await queue.list({ state: 'failed' })).items.map(({ kind }) => kind),
    ['fails'],
  )
  await assert.rejects(queue.list({ cursor: 'nonsense' }), { code: 'invalid' })
  clock.pass(1001)
  await queue.forgetOld()
  const left = (await queue.list({})).items.map(({ kind }) => kind)
  assert.deepEqual(left.sort(), ['fails', 'kept'])
})
