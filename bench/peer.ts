// Another framework in a child process that does one piece of work each time it is asked, so that runs alternate with ours.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

interface Greeting {
  readonly version?: string
  readonly actions?: readonly string[]
  /** Why it cannot take part. */
  readonly absent?: string
}

/** The Python that has the peers; see README.md. */
const PYTHON = process.env.PYTHON ?? 'python3'

export class Peer {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly version: string
  readonly actions: readonly string[]
  /** The most memory that its process has held, known after the first answer. MiB. */
  peakMiB = 0

  private constructor(child: ChildProcess, lines: Interface, greeting: Greeting) {
    this.#child = child
    this.#lines = lines[Symbol.asyncIterator]()
    this.version = greeting.version ?? ''
    this.actions = greeting.actions ?? []
  }

  /** The peer of `peers/<script>`, warmed up; undefined, with a word on standard output, where it is not installed. */
  static async start(script: string, args: readonly string[]): Promise<Peer | undefined> {
    const path = fileURLToPath(new URL(`peers/${script}`, import.meta.url))
    const program = script.endsWith('.ts') ? process.execPath : PYTHON
    const child = spawn(program, [path, ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
    const lines = createInterface({ input: child.stdout })
    const failed = once(child, 'error').then(() => ({ absent: `there is no ${program}` }))
    const ended = once(lines, 'close').then(() => ({ absent: 'it ended without a word' }))
    const said = once(lines, 'line').then(([line]) => JSON.parse(String(line)) as Greeting)
    const greeting: Greeting = await Promise.race([said, failed, ended])
    if (greeting.absent === undefined) return new Peer(child, lines, greeting)
    console.log(`skipped ${script}: ${greeting.absent}`)
    child.kill()
    return undefined
  }

  async ask(action: string): Promise<void> {
    this.#child.stdin?.write(`${action}\n`)
    const { done, value } = await this.#lines.next()
    if (!done) this.peakMiB = JSON.parse(value).peakMiB ?? 0
    if (done) throw new Error(`${this.version} ended while it was asked for ${action}`)
  }

  stop(): void {
    this.#child.kill()
  }
}
