// A whole home for tests: a store with small real packages, opened in this process or served by a child process.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Application, openApplication } from '../../src/app/application.ts'
import type { ApplicationOptions } from '../../src/app/application-parts.ts'
import { createLog } from '../../src/app/log.ts'
import { readConfig } from '../../src/config.ts'
import { type ManifestFields, readManifest, writeManifest } from '../../src/package/manifest.ts'
import { createApp } from '../../src/server/app.ts'
import { type TinyOptions, tinyPackage } from '../inference/tiny-package.ts'

const MAIN = fileURLToPath(new URL('../../src/server/main.ts', import.meta.url))
export const TOKEN = 'f'.repeat(64)

export interface StoredPackage extends TinyOptions {
  /** Accuracy on one test set, also taken for the other metrics; no metrics when left out. */
  readonly accuracy?: number
  readonly fields?: Partial<ManifestFields>
}

export interface Folders {
  readonly root: string
  readonly env: Readonly<Record<string, string>>
  readonly modelsDir: string
  readonly dataDir: string
  /** Done in turn before the folders are removed: the last opened is closed first. */
  readonly closing: (() => Promise<unknown>)[]
}

/** Empty folders for a home, removed after the test. */
export async function homeFolders(t: TestContext): Promise<Folders> {
  const root = await mkdtemp(join(tmpdir(), 'roentgen-home-'))
  const closing: (() => Promise<unknown>)[] = []
  t.after(async () => {
    for (const close of closing.reverse()) await close()
    await rm(root, { recursive: true, force: true })
  })
  const [modelsDir, dataDir] = [join(root, 'models'), join(root, 'data')]
  const env = {
    PORT: '0',
    ROENTGEN_MODELS: modelsDir,
    ROENTGEN_DATA: dataDir,
    ROENTGEN_DATASETS: join(root, 'datasets'),
    ROENTGEN_DEMO: 'off',
    ROENTGEN_LOG: 'error',
    ROENTGEN_THREADS: '1',
    ROENTGEN_IMAGING_WORKERS: '1',
  }
  return { root, env, modelsDir, dataDir, closing }
}

/** A package that is in no store yet. */
export async function madePackage(
  { root }: Pick<Folders, 'root'>,
  o: StoredPackage,
): Promise<{ id: string; dir: string; sha256: string }> {
  const made = await tinyPackage(join(root, 'made'), { golden: 1, ...o })
  return { id: made.id, dir: made.dir, sha256: await withFields(made.dir, o) }
}

/** Puts a package where the store has it, with `seed` as its number, and returns its version id. */
export async function storePackage(
  { root, modelsDir }: Folders,
  o: StoredPackage,
): Promise<{ id: string; dir: string; sha256: string }> {
  const made = await madePackage({ root }, o)
  const { condition = 'pneumonia', name = 'tiny' } = o
  const dir = join(modelsDir, condition, name, `v${o.seed}`)
  await mkdir(dirname(dir), { recursive: true })
  await rename(made.dir, dir)
  return { ...made, dir }
}

async function withFields(dir: string, o: StoredPackage): Promise<string> {
  const { manifest } = await readManifest(dir)
  const { schema: _, files: __, ...fields } = manifest
  const a = o.accuracy
  const metrics =
    a === undefined
      ? null
      : {
          accuracy: a,
          balancedAccuracy: a,
          auc: a,
          sensitivity: a,
          specificity: a,
          f1: a,
          n: 200,
          testSet: 'set-1',
        }
  return (await writeManifest(dir, { ...fields, metrics, ...o.fields })).sha256
}

export interface OpenedHome {
  readonly home: Application
  /** Calls the app as a program on this machine would; with the token of the command line when asked for. */
  call(path: string, init?: RequestInit): Promise<Response>
}

/** Opens the home in this process as a server would, and waits until all is loaded. */
export async function openedHome(
  folders: Folders,
  options: Pick<ApplicationOptions, 'archive' | 'training'> = {},
): Promise<OpenedHome> {
  const config = readConfig(folders.env)
  const home = await openApplication(config, {
    isServer: true,
    log: createLog('silent'),
    ...options,
  })
  folders.closing.push(() => home.close())
  await home.settled
  const app = createApp(home, { token: TOKEN })
  const call = async (path: string, init?: RequestInit): Promise<Response> =>
    app.request(`http://127.0.0.1${path}`, init)
  return { home, call }
}

export interface ServedHome {
  readonly url: string
  readonly child: ChildProcess
  /** SIGTERM, and how it ended. */
  stop(): Promise<number | null>
  /** kill -9 */
  kill(): Promise<void>
  /** What it wrote on standard error. */
  errors(): string
}

/** Starts the server on a free port; resolves once it says that it listens. */
export async function servedHome(folders: Folders): Promise<ServedHome> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH ?? '', ...folders.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const exited = once(child, 'exit')
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
    return child.exitCode
  }
  folders.closing.push(() => end('SIGKILL'))
  const line = await firstLine(child, exited)
  const url = /^Roentgen listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line)?.[1]
  if (!url) throw new Error(`the server said "${line}" and ${errors}`)
  return {
    url,
    child,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    errors: () => errors,
  }
}

async function firstLine(child: ChildProcess, exited: Promise<unknown>): Promise<string> {
  if (!child.stdout) return ''
  const lines = createInterface({ input: child.stdout })
  const line = once(lines, 'line').then(([text]) => String(text))
  return Promise.race([line, exited.then(() => '')])
}

/** Asks until `/readyz` says yes. */
export async function untilReady(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/readyz`)
    await response.arrayBuffer()
    if (response.ok) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export interface ImageForm {
  readonly image?: Uint8Array
  readonly [field: string]: string | Uint8Array | undefined
}

/** A multipart form with one image and text fields. */
export function imageForm({ image, ...fields }: ImageForm): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value))
  if (image) form.set('image', new Blob([Uint8Array.from(image)]), 'image.png')
  return form
}

export function jsonBody(body: unknown, method = 'POST'): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** The JSON of an answer, taken at its word. */
export async function jsonOf<T = Readonly<Record<string, unknown>>>(
  response: Response,
): Promise<T> {
  return (await response.json()) as T
}
