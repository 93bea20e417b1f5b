// What the end of a process makes of the jobs in its midst, by what their kinds declare.
import assert from 'node:assert/strict'
import test from 'node:test'
import { JobQueue } from '../../../src/app/jobs/job-queue.ts'
import { createLog } from '../../../src/app/log.ts'
import { jobStore, kindOf, untilAborted } from '../../support/job-queue.ts'
import { ANNA } from '../../support/registry.ts'

const SUBJECT = { type: 'version', id: 'pneumonia/tiny@1' } as const
const request = (input: unknown = {}) => ({ input, subject: SUBJECT, actor: ANNA })

const RESTARTS = [
  { afterRestart: 'again', keepsInput: true, stopped: 'finished', killed: 'finished' },
  { afterRestart: 'continue', keepsInput: true, stopped: 'finished', killed: 'finished' },
  { afterRestart: 'resume', keepsInput: true, stopped: 'finished', killed: 'finished' },
  { afterRestart: 'wait', keepsInput: true, stopped: 'interrupted', killed: 'interrupted' },
  { afterRestart: 'end', keepsInput: false, stopped: 'interrupted', killed: 'interrupted' },
] as const

for (const { afterRestart, keepsInput, stopped, killed } of RESTARTS) {
  test(`a job of a kind that says "${afterRestart}" is ${killed} after a restart in its midst`, async (t) => {
    const { begun, store } = await jobStore(t)
    const begins = Promise.withResolvers<void>()
    const hangs = kindOf<{ word: string }>({
      ...{ afterRestart, keepsInput },
      run: (run) => {
        begins.resolve()
        return untilAborted(run)
      },
    })
    const inputs: unknown[] = []
    const works = kindOf<{ word: string }>({
      ...{ afterRestart, keepsInput },
      run: async ({ input }) => void inputs.push(input),
    })
    const before = await begun(hangs)
    const { id } = await before.add('work', request({ word: 'kept' }))
    await begins.promise
    await before.stop()
    // The first restart is orderly and no failed attempt; the second finds a row of a process that was killed.
    const after = await begun(works)
    await after.whenIdle()
    const job = await after.get(id)
    // What is resumed counts how often it was begun.
    assert.deepEqual([job.state, job.attempt], [stopped, afterRestart === 'resume' ? 2 : 1])
    assert.equal(job.endedAt === null, afterRestart === 'wait')
    await after.stop()

    const lost = await store.add([
      {
        ...{ id: 'jb_lost', kind: 'work', subject: null, by: 'anna', via: 'api' },
        ...{ input: keepsInput ? { word: 'kept' } : null, at: job.createdAt, dueAt: job.createdAt },
      },
    ])
    assert.equal(lost.length, 1)
    await store.claim({ kinds: ['work'], at: '2999-01-01T00:00:00.000Z' })
    const last = await begun(works)
    await last.whenIdle()
    const found = await last.get('jb_lost')
    assert.equal(found.state, killed)
    if (killed === 'finished') assert.equal(found.attempt, 2)
    else assert.match(found.reason ?? '', /^The server stopped during the job/)
    assert.deepEqual(inputs, killed === 'finished' ? [{ word: 'kept' }, { word: 'kept' }] : [])
  })
}

test('a job in whose midst Roentgen is killed again and again is not begun for ever', async (t) => {
  const { begun, store, clock } = await jobStore(t)
  const queue = await begun(kindOf({ run: untilAborted }))
  await queue.stop()
  await store.add([
    {
      ...{ id: 'jb_deadly', kind: 'work', subject: null, by: 'anna', via: 'api', input: {} },
      ...{ at: clock.now().toISOString(), dueAt: clock.now().toISOString() },
    },
  ])
  for (let attempt = 1; attempt <= 3; attempt++) {
    assert.ok(await store.claim({ kinds: ['work'], at: clock.now().toISOString() }))
    if (attempt < 3) {
      const next = new JobQueue({ store, clock: clock.now, log: createLog('silent') })
      next.kinds.add(kindOf({}))
      await next.settle()
    }
  }
  const last = await begun(kindOf({}))
  await last.whenIdle()
  const { state, reason } = await last.get('jb_deadly')
  assert.deepEqual(
    [state, reason],
    ['failed', 'Roentgen ended 3 times while it ran; it is not begun again.'],
  )
})

test('of a kind that keeps no input nothing of it is in the database', async (t) => {
  const { begun, db } = await jobStore(t)
  const seen: unknown[] = []
  const kind = kindOf({
    ...{ afterRestart: 'end', keepsInput: false },
    run: async ({ input }) => void seen.push(input),
  })
  const queue = await begun(kind)
  const { id } = await queue.add('work', request({ file: 'MUELLER_ANNA.png' }))
  await queue.whenRested(id)
  assert.deepEqual(seen, [{ file: 'MUELLER_ANNA.png' }])
  const rows = [
    ...(await db.selectFrom('jobs').selectAll().execute()),
    ...(await db.selectFrom('job_events').selectAll().execute()),
  ]
  assert.ok(rows.length > 1)
  assert.doesNotMatch(JSON.stringify(rows), /MUELLER/)
})

test('before the start only what this process added is begun; the start takes the rest', async (t) => {
  const { store, clock } = await jobStore(t)
  const at = clock.now().toISOString()
  await store.add([
    {
      ...{ id: 'jb_before', kind: 'work', subject: null, by: 'anna', via: 'api', input: {} },
      ...{ at, dueAt: at },
    },
  ])
  const queue = new JobQueue({ store, clock: clock.now, log: createLog('silent') })
  t.after(() => queue.stop())
  queue.kinds.add(kindOf({}))
  await queue.settle()
  const { id } = await queue.add('work', request())
  assert.equal((await queue.whenRested(id)).state, 'finished')
  assert.equal((await queue.get('jb_before')).state, 'queued')
  queue.start()
  assert.equal((await queue.whenRested('jb_before')).state, 'finished')
})
