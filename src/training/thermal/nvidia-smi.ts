// NVIDIA's cards by their own tool: what they are, how hot, how busy, how full.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface Gpu {
  readonly name: string
  readonly driver: string
  readonly celsius: number | null
  /** 0 to 1. */
  readonly utilisation: number | null
  readonly memoryBytes: number | null
  readonly memoryTotalBytes: number | null
}

const FIELDS = 'name,driver_version,temperature.gpu,utilization.gpu,memory.used,memory.total'
const MIB = 2 ** 20
const TIMEOUT_MS = 5000
/** The tool takes a good part of a second, so it is not asked more often. */
const EVERY_MS = 5000

export class GpuWatch {
  readonly #command: string
  #gpus: readonly Gpu[] = []
  #askedAt = Number.NEGATIVE_INFINITY
  #isAbsent = false

  constructor(command = 'nvidia-smi') {
    this.#command = command
  }

  /** As they were at most five seconds ago; empty where there is no such card or tool. */
  async read(): Promise<readonly Gpu[]> {
    if (this.#isAbsent || performance.now() - this.#askedAt < EVERY_MS) return this.#gpus
    this.#askedAt = performance.now()
    try {
      const args = [`--query-gpu=${FIELDS}`, '--format=csv,noheader,nounits']
      const run = await promisify(execFile)(this.#command, args, { timeout: TIMEOUT_MS })
      this.#gpus = run.stdout.trim().split('\n').filter(Boolean).map(gpuOf)
    } catch (error) {
      this.#isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
      this.#gpus = []
    }
    return this.#gpus
  }
}

function gpuOf(line: string): Gpu {
  const [name = 'GPU', driver = '', ...rest] = line.split(',').map((part) => part.trim())
  const [celsius, percent, used, total] = rest.map((part) => {
    const value = Number(part)
    return part !== '' && Number.isFinite(value) ? value : null
  })
  return {
    name,
    driver,
    celsius: celsius ?? null,
    utilisation: percent == null ? null : percent / 100,
    memoryBytes: used == null ? null : used * MIB,
    memoryTotalBytes: total == null ? null : total * MIB,
  }
}
