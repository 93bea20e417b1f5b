// What changing the active version takes, of a full-size DenseNet121 with random weights, on a served home of its own: from
// the inbox to the list, from the request to the answer, back again warm and cold, and what other requests feel meanwhile.
//   node bench/swap.ts [seconds of load]
import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import sharp from 'sharp'
import { getArchitecture } from '../src/architectures/catalogue.ts'
import { convertForeign } from '../src/conversion/import/convert-foreign.ts'
import { parseForeignFields } from '../src/conversion/import/foreign-fields.ts'
import { saveLayersModel } from '../src/engine/layers-save.ts'
import { readManifest, writeManifest } from '../src/package/manifest.ts'
import { verifyPackage } from '../src/package/verify-package.ts'
import { json, type Served, serve } from './served.ts'

const LOAD_SECONDS = Number(process.argv[2] ?? 20)
const SHARE_OF_THROUGHPUT = 0.3
const ROUNDS = 5

interface Line {
  readonly version: string
  readonly steps: readonly { readonly name: string; readonly ms: number }[]
}

const root = await mkdtemp(join(tmpdir(), 'roentgen-swap-'))
let server: Served | undefined
try {
  const big = [await densePackage(1), await densePackage(2)] as const
  server = await serve(root)
  await inbox(server)
  await swaps(server)
  await latency(server)
  console.log(
    `DenseNet121 packages of ${mib((await stat(join(big[0], 'models/dense.onnx'))).size)}`,
  )
} finally {
  await server?.stop()
  await rm(root, { recursive: true, force: true })
}

/** A DenseNet121 of 224 x 224 pixels whose weights are drawn, with golden images, twice with other weights. */
async function densePackage(seed: number): Promise<string> {
  const model = getArchitecture('DenseNet121').build({
    height: 224,
    width: 224,
    channels: 1,
    outputs: 1,
    seed,
  })
  const folder = join(root, `dense-${seed}`)
  await saveLayersModel(model, folder)
  model.dispose()
  const made = await convertForeign({
    kind: 'tfjs-folder',
    path: folder,
    sourceName: 'dense',
    fields: parseForeignFields({
      condition: 'chest',
      name: 'dense',
      classes: 'NORMAL,*FINDING',
      kind: 'binary',
      preprocessing: 'unit',
    }),
    condition: undefined,
    stagingDir: join(root, `staging-${seed}`),
  })
  const { manifest } = await readManifest(made)
  const { schema: _, files: __, ...fields } = manifest
  const figures = { accuracy: 0.9, balancedAccuracy: 0.9, auc: 0.9, sensitivity: 0.9 }
  const metrics = { ...figures, specificity: 0.9, f1: 0.9, n: 100, testSet: 'bench' }
  await writeManifest(made, { ...fields, metrics })
  const dir = join(root, `package-${seed}`)
  await rename(made, dir)
  return dir
}

/** From the moment that a package lies whole in the inbox to its being listed, and how much of that is hashing. */
async function inbox({ url }: Served): Promise<void> {
  for (const seed of [1, 2]) {
    const from = join(root, `package-${seed}`)
    const aside = join(root, 'models', `aside-${seed}`)
    await cp(from, aside, { recursive: true })
    const hashed = performance.now()
    await verifyPackage(aside)
    const hashingMs = performance.now() - hashed
    await mkdir(join(root, 'models', 'inbox'), { recursive: true })
    const dropped = performance.now()
    await rename(aside, join(root, 'models', 'inbox', `dense-${seed}`))
    for (;;) {
      const page = await json<{ items: { n: number }[] }>(`${url}/api/v1/versions?condition=chest`)
      if (page.items.length >= seed) break
      await after(5)
    }
    const ms = performance.now() - dropped
    say(`inbox to list ${seed}`, `${whole(ms)}, hashing once ${whole(hashingMs)}`)
  }
  // The replay of the golden images goes on behind the list.
  await after(3000)
}

async function swaps({ url }: Served): Promise<void> {
  const [one, two] = ['chest/dense@1', 'chest/dense@2']
  for (const version of [one, two]) {
    const { ms, line } = await change(url, 'activate', { version, reason: 'bench' })
    say(`activate ${version}`, `${whole(ms)}: ${stepsOf(line)}`)
  }
  const warm: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const { ms, line } = await change(url, 'rollback', { reason: 'bench' })
    warm.push(ms)
    if (i === 0) say('  steps of a warm rollback', stepsOf(line))
  }
  say('rollback, warm', spread(warm))
  const cold: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    // Started with ROENTGEN_WARM_MINUTES=0: the version before is not kept.
    await server?.stop()
    server = await serve(root, { ROENTGEN_WARM_MINUTES: '0' })
    const { ms, line } = await change(server.url, 'rollback', { reason: 'bench' })
    cold.push(ms)
    if (i === 0) say('  steps of a cold rollback', stepsOf(line))
  }
  say('rollback, cold', spread(cold))
}

/** Requests at a share of what the machine gives, quietly and while the other DenseNet121 is loaded again and again. */
async function latency(before: Served): Promise<void> {
  const { url } = server ?? before
  const image = await sharp({
    create: { width: 64, height: 64, channels: 3, background: '#808080' },
  })
    .png()
    .toBuffer()
  const ask = async (): Promise<number> => {
    const form = new FormData()
    form.set('condition', 'chest')
    form.set('explain', 'none')
    form.set('image', new Blob([Uint8Array.from(image)]), 'image.png')
    const started = performance.now()
    const response = await fetch(`${url}/api/v1/predict`, { method: 'POST', body: form })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`a request failed with ${response.status}`)
    return performance.now() - started
  }
  for (let i = 0; i < 20; i++) await ask()
  const until = performance.now() + 4000
  let done = 0
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (; performance.now() < until; done++) await ask()
    }),
  )
  const gapMs = 1000 / ((done / 4) * SHARE_OF_THROUGHPUT)
  say('throughput of DenseNet121', `${(done / 4).toFixed(1)} a second, asked every ${whole(gapMs)}`)
  const quiet: number[] = []
  const busy: number[] = []
  let loads = 0
  // In turns, so that whatever else the machine does disturbs both alike.
  for (let round = 0; round < ROUNDS; round++) {
    const wanted = { gapMs, seconds: LOAD_SECONDS / ROUNDS }
    quiet.push(...(await underLoad(ask, wanted)))
    let loading = true
    const loader = (async () => {
      for (; loading; loads++) await change(url, 'rollback', { reason: 'bench' })
    })()
    busy.push(...(await underLoad(ask, wanted)))
    loading = false
    await loader
  }
  say('latency, quiet', spread(quiet))
  say(`latency, while another one is loaded (${loads} times)`, spread(busy))
  say('p99 ratio, asked at most 1.5', (percentile(busy, 0.99) / percentile(quiet, 0.99)).toFixed(2))
}

/** One request each gap, whether or not the one before was answered. */
async function underLoad(
  ask: () => Promise<number>,
  { gapMs, seconds }: { gapMs: number; seconds: number },
): Promise<number[]> {
  const asked: Promise<number>[] = []
  const started = performance.now()
  for (let n = 0; n * gapMs < seconds * 1000; n++) {
    await after(Math.max(0, started + n * gapMs - performance.now()))
    asked.push(ask())
  }
  return Promise.all(asked)
}

async function change(url: string, action: string, body: object) {
  const started = performance.now()
  const line = await json<Line>(`${url}/api/v1/conditions/chest/${action}`, body)
  return { ms: performance.now() - started, line }
}

function stepsOf({ steps }: Line): string {
  return steps.map(({ name, ms }) => `${name} ${ms}`).join(', ')
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

function spread(values: readonly number[]): string {
  const [median, p99] = [percentile(values, 0.5), percentile(values, 0.99)]
  return `median ${whole(median)}, p99 ${whole(p99)}, max ${whole(Math.max(...values))} of ${values.length}`
}

function say(what: string, figure: string): void {
  console.log(`${what.padEnd(46)} ${figure}`)
}

function whole(ms: number): string {
  return `${ms.toFixed(0)} ms`
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
