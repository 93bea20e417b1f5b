// Every child process of Roentgen starts here: with all that this process has or confined, its last output kept as the reason
// of its end. What is said over its channel, and when it is ended, belongs to whoever starts it.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Confinement, confine } from './confined-process.ts'
import { TextTail } from './text-tail.ts'

export interface ChildOptions {
  readonly module: URL
  readonly args?: readonly string[]
  /** Options of Node beside its permissions. */
  readonly nodeOptions?: readonly string[]
  /** It works on what a stranger sent: this is all that it may touch. Without it the process has all that this one has. */
  readonly confined?: Confinement
  /** Serving goes first on the same cores. */
  readonly lowPriority?: boolean
  /** Structured clones, so that typed arrays stay what they are, or JSON. Structured by default. */
  readonly messages?: 'advanced' | 'json'
  /** What of its output is read; the rest is thrown away. `errors` by default. */
  readonly output?: 'none' | 'errors' | 'all'
  /** Each part of the output that is read. */
  readonly onOutput?: (text: string) => void
}

export interface StartedChild {
  readonly process: ChildProcess
  /** The last 8 KiB of the output that is read. */
  readonly lastOutput: TextTail
}

const KEPT_BYTES = 8192

export function startChild(o: ChildOptions): StartedChild {
  const { confined, messages = 'advanced', output = 'errors' } = o
  const { launcher = [], permissions = [], ...place } = confined ? confine(confined) : {}
  const node = [process.execPath, ...permissions, ...(o.nodeOptions ?? [])]
  const command = [...launcher, ...node, fileURLToPath(o.module), ...(o.args ?? [])]
  const [program = process.execPath, ...args] = command
  const child = spawn(program, args, {
    ...place,
    serialization: messages,
    stdio: [
      'ignore',
      output === 'all' ? 'pipe' : 'ignore',
      output === 'none' ? 'ignore' : 'pipe',
      'ipc',
    ],
  })
  const lastOutput = new TextTail(KEPT_BYTES)
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      lastOutput.push(chunk)
      o.onOutput?.(chunk.toString())
    })
  }
  if (o.lowPriority && child.pid !== undefined) lowerPriority(child.pid)
  return { process: child, lastOutput }
}

/** Not allowed everywhere, and never a reason to fail. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It works at normal priority then.
  }
}
