// A child process that gets one request and gives one answer: ended when that takes too long, and as soon as it has answered.
import { type ChildProcess, fork } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Confinement, forkConfined } from './confined-process.ts'

export interface Question {
  /** The module of the process; see `answerParent`. */
  readonly worker: URL
  readonly request: unknown
  /** No limit by default. */
  readonly timeoutMs?: number
  readonly execArgv?: readonly string[]
  /** It works on what a stranger sent: these files are all that it may touch. Without it the process has all that this one has. */
  readonly confined?: Pick<Confinement, 'mayRead' | 'mayWrite'>
}

/** At the lowest priority: serving goes first. @throws Error with its last words when it ended without an answer */
export function askChild<Answer>(o: Question): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const child = forkFor(o)
  const end = (): void => void child.kill('SIGKILL')
  const timer = o.timeoutMs === undefined ? undefined : setTimeout(end, o.timeoutMs)
  let exitReason = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    exitReason = (exitReason + chunk.toString()).slice(-4000)
  })
  child.once('message', (answer) => {
    resolve(answer as Answer)
    end()
  })
  child.once('error', reject)
  child.once('close', (code, signal) => {
    clearTimeout(timer)
    reject(new Error(`the process ended with ${code ?? signal}: ${exitReason}`))
  })
  if (child.pid !== undefined) lowerPriority(child.pid)
  child.send({ request: o.request, timeoutMs: o.timeoutMs }, () => {})
  return promise
}

function forkFor({ worker, execArgv = [], confined }: Question): ChildProcess {
  if (!confined) {
    return fork(worker, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [...execArgv],
    })
  }
  const more = { nodeOptions: execArgv, hasThreads: true, hearsErrors: true }
  return forkConfined({ module: worker, ...more, ...confined })
}

/** Serving goes first on the same cores. Not allowed everywhere, and never a reason to fail. */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It works at normal priority then.
  }
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
