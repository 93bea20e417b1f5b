// The queue: order, limit, urgency and leaving it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { InferenceQueue } from '../../src/inference/inference-queue.ts'

function gate() {
  return Promise.withResolvers<void>()
}

test('one runs at a time and the others in the order in which they asked', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 10 })
  const order: number[] = []
  let running = 0
  const task = (number: number) => async () => {
    running += 1
    assert.equal(running, 1)
    await new Promise((resolve) => setImmediate(resolve))
    order.push(number)
    running -= 1
  }
  await Promise.all([1, 2, 3, 4].map((number) => queue.run(task(number))))
  assert.deepEqual(order, [1, 2, 3, 4])
  assert.equal(queue.running, 0)
})

test('a full queue answers busy at once, with a time to come back', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 1 })
  const hold = gate()
  const first = queue.run(() => hold.promise)
  const second = queue.run(async () => {})
  await assert.rejects(
    queue.run(async () => {}),
    { code: 'busy', retryAfterSeconds: 1 },
  )
  hold.resolve()
  await Promise.all([first, second])
})

test('an urgent task is never refused and goes before those that wait', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 1 })
  const hold = gate()
  const order: string[] = []
  const note = (name: string) => async () => {
    order.push(name)
  }
  const first = queue.run(() => hold.promise)
  const usual = queue.run(note('usual'))
  const urgent = queue.run(note('urgent'), { urgent: true })
  hold.resolve()
  await Promise.all([first, usual, urgent])
  assert.deepEqual(order, ['urgent', 'usual'])
})

test('a caller that goes away leaves the queue and never runs', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 10 })
  const hold = gate()
  const first = queue.run(() => hold.promise)
  const caller = new AbortController()
  let ran = false
  const gone = queue.run(
    async () => {
      ran = true
    },
    { signal: caller.signal },
  )
  assert.equal(queue.waiting, 1)
  caller.abort()
  await assert.rejects(gone, { name: 'AbortError' })
  assert.equal(queue.waiting, 0)
  hold.resolve()
  await first
  assert.equal(ran, false)
})

test('a task that fails makes room for the next one', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 10 })
  const failing = queue.run(() => Promise.reject(new Error('no')))
  const next = queue.run(async () => 'done')
  await assert.rejects(failing, /no/)
  assert.equal(await next, 'done')
})
