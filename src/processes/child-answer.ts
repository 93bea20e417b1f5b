// A child process that gets one request and gives one answer: ended when that takes too long, and as soon as it has answered.
import { Worker } from 'node:worker_threads'
import { type ChildOptions, startChild } from './start-child.ts'

export interface Question {
  /** The module of the process; see `answerParent`. */
  readonly worker: URL
  readonly request: unknown
  /** No limit by default. */
  readonly timeoutMs?: number
  readonly nodeOptions?: readonly string[]
  /** Ends it. */
  readonly signal?: AbortSignal | undefined
  /** Its threads are allowed for. */
  readonly confined?: ChildOptions['confined']
}

/** At the lowest priority: serving goes first. @throws Error with its last words when it ended without an answer */
export function askChild<Answer>(o: Question): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { worker: module, nodeOptions = [], confined } = o
  const { process: child, lastOutput } = startChild({
    module,
    nodeOptions,
    lowPriority: true,
    ...(confined && { confined: { hasThreads: true, ...confined } }),
  })
  const end = (): void => void child.kill('SIGKILL')
  const timer = o.timeoutMs === undefined ? undefined : setTimeout(end, o.timeoutMs)
  o.signal?.addEventListener('abort', end)
  if (o.signal?.aborted) end()
  child.once('message', (answer) => {
    resolve(answer as Answer)
    end()
  })
  child.once('error', reject)
  child.once('close', (code, signal) => {
    clearTimeout(timer)
    o.signal?.removeEventListener('abort', end)
    reject(new Error(`the process ended with ${code ?? signal}: ${lastOutput.text()}`))
  })
  child.send({ request: o.request, timeoutMs: o.timeoutMs }, () => {})
  return promise
}

/** The child's side. What rejects ends it. It ends with its parent, and with its time also when that is gone. */
export function answerParent<Request>(work: (request: Request) => Promise<unknown>): void {
  process.once('message', ({ request, timeoutMs }: { request: Request; timeoutMs?: number }) => {
    if (timeoutMs !== undefined) endAfter(timeoutMs)
    void work(request).then((answer) => process.send?.(answer))
  })
  process.once('disconnect', () => process.exit())
}

/** A thread of its own: what loops without end in a library lets no timer of this one run. */
function endAfter(ms: number): void {
  const code = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${ms})`
  new Worker(code, { eval: true, execArgv: [] }).unref()
}
