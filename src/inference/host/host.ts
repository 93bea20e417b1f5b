// The model host: a child process with one loaded graph, started by model-host.ts. ONNX Runtime blocks its event loop
// here and nowhere else. Keeps to node, errors and the engine's session, so that it stays small.
import { flushCompileCache } from 'node:module'
import { constants, setPriority } from 'node:os'
import { createSession, type Session, type TensorValue } from '../../engine/session.ts'
import { isAppError, messageOf } from '../../errors.ts'
import { pooled } from '../familiarity/pooled.ts'
import type { FromHost, HostError, LoadRequest, ToHost } from './host-messages.ts'
import { hidePatch, toLayout } from './input-tensor.ts'
import type { RawOutput, RawScores, Volume } from './raw-output.ts'
import { readVerified } from './verified-bytes.ts'

interface Loaded {
  readonly session: Session
  readonly request: LoadRequest
}

let loaded: Loaded | undefined

function reply(message: FromHost): void {
  process.send?.(message)
}

async function load(request: LoadRequest): Promise<Loaded> {
  // Before the session is made: threads begin with the priority of the one that starts them.
  if (request.isBackground) setPriority(constants.priority.PRIORITY_LOW)
  const bytes = await readVerified(request.path, request.sha256)
  const session = await createSession(bytes, { threads: request.threads })
  const { input, outputs } = request.graph
  const missing = Object.values(outputs).filter(
    (name) => name !== null && !session.outputNames.includes(name),
  )
  if (!session.inputNames.includes(input.name) || missing.length > 0) {
    throw new Error(`the graph has inputs ${session.inputNames}, outputs ${session.outputNames}`)
  }
  return { session, request }
}

async function runGraph({ session, request }: Loaded, tensor: Float32Array) {
  const { graph, shape } = request
  const input = toLayout(tensor, { shape, layout: graph.input.layout })
  const results = await session.run({ [graph.input.name]: input })
  return (name: string | null): TensorValue | null =>
    name === null ? null : (results[name] ?? null)
}

async function infer(host: Loaded, tensor: Float32Array, explain: boolean): Promise<RawOutput> {
  const { outputs } = host.request.graph
  const started = performance.now()
  const output = await runGraph(host, tensor)
  const layer = (name: string | null): Volume | null => (explain ? output(name) : null)
  const features = output(outputs.features)
  return {
    logits: output(outputs.logits)?.data ?? null,
    probabilities: output(outputs.probabilities)?.data ?? null,
    features: layer(outputs.features),
    gradients: layer(outputs.gradients),
    embedding: features && pooled(features),
    inferMs: performance.now() - started,
  }
}

async function handle(message: ToHost): Promise<FromHost> {
  if (message.kind === 'load') {
    loaded = await load(message)
    return { kind: 'loaded', rssBytes: process.memoryUsage.rss() }
  }
  if (!loaded) throw new Error('no graph is loaded')
  const { id } = message
  if (message.kind === 'infer') {
    const raw = await infer(loaded, message.tensor, message.explain)
    return { kind: 'output', id, raw, rssBytes: process.memoryUsage.rss() }
  }
  const rows: RawScores[] = []
  for (const patch of message.patches) {
    const { shape } = loaded.request
    const hidden = hidePatch(message.tensor, { shape, patch, fill: message.fill })
    const { logits, probabilities } = await infer(loaded, hidden, false)
    rows.push({ logits, probabilities })
  }
  return { kind: 'rows', id, rows, rssBytes: process.memoryUsage.rss() }
}

function describe(error: unknown, fallback: HostError): HostError {
  if (!isAppError(error)) return { ...fallback, cause: messageOf(error) }
  const code =
    error.code === 'hash-mismatch' || error.code === 'load-failed' ? error.code : 'internal'
  const cause = error.cause === undefined ? error.message : messageOf(error.cause)
  return { code, message: error.message, cause }
}

process.on('message', (message: ToHost) => {
  handle(message).then(reply, (error) => {
    if (message.kind === 'load') {
      const said = 'The graph does not fit its description, or ONNX Runtime cannot load it.'
      const fallback: HostError = { code: 'load-failed', message: said, cause: '' }
      reply({ kind: 'load-failed', error: describe(error, fallback) })
    } else {
      const said = 'The model could not be run on this image.'
      const fallback: HostError = { code: 'internal', message: said, cause: '' }
      reply({ kind: 'run-failed', id: message.id, error: describe(error, fallback) })
    }
  })
})
// Ctrl-C reaches every process of the terminal. The web process decides when a host ends: it closes the pipe or kills.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
// A host is ended by SIGKILL, so Node's cache of its modules is written now: the next host starts 20 MB smaller, because
// it neither compiles nor strips types.
flushCompileCache()
reply({ kind: 'hello' })
