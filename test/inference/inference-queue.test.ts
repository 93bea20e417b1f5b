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

test('background work begins only while nothing runs or waits, and nobody waits for it', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 10 })
  const [request, background] = [gate(), gate()]
  const order: string[] = []
  const first = queue.run(() => request.promise)
  const looking = queue.runWhenIdle(async () => {
    order.push('background begins')
    await background.promise
    order.push('background ends')
  })
  const second = queue.run(async () => void order.push('second request'))
  request.resolve()
  await Promise.all([first, second])
  // The background task runs now and does not end; a request is answered all the same.
  await queue.run(async () => void order.push('third request'))
  const another = queue.runWhenIdle(async () => void order.push('another'))
  background.resolve()
  await Promise.all([looking, another])
  assert.deepEqual(order, [
    'second request',
    'background begins',
    'third request',
    'background ends',
    'another',
  ])
})

test('background work that is aborted while it waits never begins', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 10 })
  const [request, ending] = [gate(), new AbortController()]
  const first = queue.run(() => request.promise)
  const looking = queue.runWhenIdle(async () => assert.fail('it began'), { signal: ending.signal })
  ending.abort(new Error('stopped'))
  await assert.rejects(looking, /stopped/)
  request.resolve()
  await first
})

test('of one version one runs at a time, and who waits for it lets others go first', async () => {
  const queue = new InferenceQueue({ concurrency: 2, limit: 10 })
  const hold = gate()
  const order: string[] = []
  const note = (name: string) => async () => void order.push(name)
  const [a, b] = [{}, {}]
  const first = queue.run(() => hold.promise.then(note('first of a')), { key: a })
  const second = queue.run(note('second of a'), { key: a })
  await queue.run(note('b'), { key: b })
  assert.deepEqual([queue.running, queue.waiting], [1, 1])
  hold.resolve()
  await Promise.all([first, second])
  assert.deepEqual(order, ['b', 'first of a', 'second of a'])
})

test('a run that takes long gives its place to others, and takes it from nobody when it ends', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 10, slowAfterMs: 1 })
  const [slow, other] = [gate(), gate()]
  const [a, b] = [{}, {}]
  const hanging = queue.run(() => slow.promise, { key: a })
  // Waits until the first is called slow, and then runs beside it.
  const beside = queue.run(() => other.promise, { key: b })
  while (queue.waiting > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(queue.running, 2)
  slow.resolve()
  other.resolve()
  await Promise.all([hanging, beside])
  assert.deepEqual([queue.running, queue.waiting], [0, 0])
  let running = 0
  const alone = async () => {
    running += 1
    assert.equal(running, 1)
    await null
    running -= 1
  }
  await Promise.all([queue.run(alone), queue.run(alone), queue.run(alone)])
})

test('of a version whose run takes long only a quarter of the places may be waiting', async () => {
  const queue = new InferenceQueue({ concurrency: 1, limit: 8, slowAfterMs: 1 })
  const [hold, next] = [gate(), gate()]
  const [a, b] = [{}, {}]
  const hanging = queue.run(() => hold.promise, { key: a })
  await queue.run(async () => {}, { key: b })
  const other = queue.run(() => next.promise, { key: b })
  const waiting = [1, 2].map(() => queue.run(async () => {}, { key: a }))
  await assert.rejects(
    queue.run(async () => {}, { key: a }),
    { code: 'busy' },
  )
  const others = [1, 2, 3].map(() => queue.run(async () => {}, { key: b }))
  next.resolve()
  await Promise.all([other, ...others])
  hold.resolve()
  await Promise.all([hanging, ...waiting])
})
