// Activations under load, drawn from packages that are good, damaged, wrong, worse, unloadable, slow to load, and from
// hosts that die while they load or while they answer: no request fails, and nothing answers that did not pass the gate.
// 40 activations in the usual run, 1,000 when ROENTGEN_SLOW_TESTS=1; then memory is held against its start too.
import assert from 'node:assert/strict'
import { appendFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { PredictionSchema } from '../../src/server/predictions/schema.ts'
import { image } from '../inference/tiny-package.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  servedHome,
  storePackage,
  untilReady,
} from '../support/home.ts'
import { slowGraph } from '../support/slow-graph.ts'

const SLOW = process.env.ROENTGEN_SLOW_TESTS === '1'
const TURNS = SLOW ? 1000 : 40
const CALLERS = 3
const IMAGES = 5
const SEED = 20_261_120

type Kind = 'good' | 'slow' | 'damaged' | 'wrong' | 'worse' | 'unloadable'
/** What a refusal of each may be. */
const REFUSALS: Readonly<Record<Kind, readonly string[]>> = {
  good: [],
  slow: [],
  damaged: ['hash-mismatch'],
  wrong: ['golden-mismatch'],
  worse: ['gate'],
  unloadable: ['load-failed'],
}
const MIX: readonly (readonly [Kind, number])[] = [
  ['good', 0.45],
  ['slow', 0.1],
  ['damaged', 0.15],
  ['wrong', 0.1],
  ['worse', 0.1],
  ['unloadable', 0.1],
]

/** mulberry32, so that a failure can be run again. */
function drawing(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Processes that a process has begun, by the kernel; none where it does not say. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(/\s+/).filter(Boolean).map(Number)
}

/** Only of hosts: imaging workers are children too. */
async function hostsOf(pid: number): Promise<number[]> {
  const hosts: number[] = []
  for (const child of await childrenOf(pid)) {
    const words = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')
    if (words.includes('inference/host.ts')) hosts.push(child)
  }
  return hosts
}

/** Heap of the server in use, garbage included: its least over many looks is what it holds on to. */
async function heapBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^roentgen_process_heap_bytes (\S+)$/m.exec(text)?.[1])
}

test(`${TURNS} activations of good, damaged, wrong, slow and dying versions under load fail no request`, async (t) => {
  const folders = await homeFolders(t)
  const made: Record<Kind, string[]> = {
    good: [],
    slow: [],
    damaged: [],
    wrong: [],
    worse: [],
    unloadable: [],
  }
  let seed = 0
  const store = async (kind: Kind, more: object = {}) => {
    seed += 1
    const stored = await storePackage(folders, { seed, accuracy: 0.9, ...more })
    made[kind].push(stored.id)
    return stored
  }
  for (let i = 0; i < 4; i++) await store('good')
  for (let i = 0; i < 2; i++) {
    const graphBytes = slowGraph({ seed: 70 + i, products: 60 })
    await store('slow', { graphBytes, plain: true })
  }
  for (let i = 0; i < 2; i++) await store('wrong', { goldenError: 0.01 })
  await store('worse', { accuracy: 0.5 })
  await store('unloadable', { graphBytes: Buffer.from('no graph at all'), golden: 0 })
  const damaged = [await store('damaged'), await store('damaged')]
  for (const { dir } of damaged) await appendFile(join(dir, 'models/tiny.onnx'), 'x')

  const { url, child, errors } = await servedHome({
    ...folders,
    // Garbage is collected more often so, and what is held can be told from it.
    env: { ...folders.env, ROENTGEN_LOG: 'silent', NODE_OPTIONS: '--max-semi-space-size=4' },
  })
  await untilReady(url)
  const pid = child.pid ?? 0
  const images = await Promise.all(Array.from({ length: IMAGES }, (_, i) => image(50 + i)))
  const predict = async (index: number, version?: string) => {
    const fields = { condition: 'pneumonia', explain: 'none', ...(version && { version }) }
    const body = imageForm({ image: images[index] ?? new Uint8Array(), ...fields })
    const response = await fetch(`${url}/api/v1/predict`, { method: 'POST', body })
    assert.equal(response.status, 200, await response.clone().text())
    return PredictionSchema.parse(await response.json())
  }
  const post = async (action: string, body: object): Promise<Response> =>
    fetch(`${url}/api/v1/conditions/pneumonia/${action}`, jsonBody(body))

  const alone = new Map<string, number[]>()
  for (const version of [...made.good, ...made.slow]) {
    const values: number[] = []
    for (let i = 0; i < IMAGES; i++) values.push((await predict(i, version)).confidence)
    alone.set(version, values)
  }
  assert.equal((await post('activate', { version: made.good[0], reason: 'first' })).status, 200)

  let running = true
  let answers = 0
  const load = Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      for (let turn = caller; running; turn++) {
        const index = turn % IMAGES
        const { version, confidence } = await predict(index)
        assert.equal(confidence, alone.get(version)?.[index], `${version} answered otherwise`)
        answers += 1
      }
    }),
  )
  load.catch(() => {})

  const random = drawing(SEED)
  const draw = (): Kind => {
    let rest = random()
    for (const [kind, share] of MIX) {
      rest -= share
      if (rest < 0) return kind
    }
    return 'good'
  }
  const counts: Record<string, number> = {}
  const count = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1
  }
  const memory: number[] = []
  let active = made.good[0] ?? ''
  let before = active
  for (let turn = 1; turn <= TURNS; turn++) {
    const kind = draw()
    const version = made[kind][Math.floor(random() * made[kind].length)] ?? ''
    const isRollback = random() < 0.2
    const diesLoading = !isRollback && kind === 'good' && random() < 0.25
    const diesAnswering = random() < 0.05
    const wanted = isRollback ? before : version
    const hosts = await hostsOf(pid)
    let settled = false
    const asked = (
      isRollback
        ? post('rollback', { reason: `turn ${turn}` })
        : post('activate', { version: wanted, reason: `turn ${turn}` })
    ).finally(() => {
      settled = true
    })
    if (diesLoading) {
      // Every host that appears in this turn dies until the activation gives up or finds another way.
      for (let kills = 0; !settled && kills < 3; ) {
        for (const host of await hostsOf(pid)) {
          if (hosts.includes(host)) continue
          hosts.push(host)
          process.kill(host, 'SIGKILL')
          kills += 1
          count('a host died while it loaded')
        }
        await after(2)
      }
    }
    if (diesAnswering) {
      const [host] = hosts
      if (host !== undefined && (await childrenOf(pid)).includes(host)) {
        process.kill(host, 'SIGKILL')
        count('a host died while it answered')
      }
    }
    const response = await asked
    const body = await jsonOf<{ version?: string; code?: string }>(response)
    if (response.ok) {
      assert.ok(isRollback || REFUSALS[kind].length === 0, `${kind} ${wanted} was let through`)
      assert.equal(body.version, wanted)
      if (wanted !== active) before = active
      active = wanted
      count(isRollback ? 'rolled back' : `activated ${kind}`)
    } else {
      const allowed = diesLoading || diesAnswering ? ['load-failed', 'golden-mismatch'] : []
      const may = [...REFUSALS[isRollback ? 'good' : kind], ...allowed]
      if (isRollback) may.push('nothing-to-roll-back')
      assert.ok(may.includes(body.code ?? ''), `${kind}: ${JSON.stringify(body)}`)
      count(`refused ${isRollback ? 'rollback' : kind}`)
    }
    assert.equal((await predict(turn % IMAGES)).version, active, 'what was last reported answers')
    memory.push(await heapBytes(url))
  }
  running = false
  await load
  assert.equal(errors(), '')
  assert.ok(Object.keys(counts).some((what) => what.startsWith('refused')))
  const staged = await readdir(join(folders.modelsDir, '.staging')).catch(() => [])
  assert.deepEqual(staged, [])
  t.diagnostic(`${answers} answers during ${TURNS} turns: ${JSON.stringify(counts)}`)
  // The first turns fill caches; what the system counts as resident also grows with the room that V8 takes for garbage.
  const window = Math.floor(memory.length / 4)
  const start = Math.min(...memory.slice(window, 2 * window))
  const end = Math.min(...memory.slice(-window))
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
  t.diagnostic(`held by the server: ${mib(start)} MiB at the start, ${mib(end)} MiB at the end`)
  assert.ok(memory.every((bytes) => bytes > 0))
  if (SLOW) assert.ok(end <= start * 1.05, `${mib(start)} became ${mib(end)}`)
})
