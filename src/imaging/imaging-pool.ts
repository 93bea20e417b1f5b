// A few processes that decode and draw, so that no upload can block, crash or fill the web process.
// What they do is in imaging-job.ts; here is only who does it, for how long, and what happens when one dies.
import type { ChildProcess } from 'node:child_process'
import { AppError } from '../errors.ts'
import { startChild } from '../processes/start-child.ts'
import type { StudyIdentity } from './dicom/study-identity.ts'
import type { HeatmapJob, ImagingJob, JobResult, PrintJob, ReadImage } from './imaging-job.ts'
import type { JobMessage, ReplyMessage } from './imaging-worker-protocol.ts'
import type { ImageLimits } from './pixels.ts'
import type { Preprocessing } from './preprocessing.ts'
import { type Death, imageFailed, isFromOutside, killedTwice, notStarted } from './worker-death.ts'

export interface ImagingPoolOptions {
  readonly workers: number
  readonly limits: ImageLimits
  /** A job that takes longer costs its worker its life. Default 30 s. */
  readonly timeoutMs?: number
  /** Resident memory at which a worker ends itself. Default 1 GiB. */
  readonly maxWorkerBytes?: number
  /** Jobs that may wait for a worker before `busy` is answered at once. Default 64. */
  readonly queueLength?: number
}

export interface ReadOptions {
  readonly preprocessing: readonly Preprocessing[]
  /** Also give the pixels back as a lossless PNG. */
  readonly keep?: boolean
  /** Frame of a file that holds several, counted from 1; the first by default. */
  readonly frame?: number | undefined
}

/** A read whose parts come one after the other. */
export interface ReadAhead {
  /** All but `kept`. */
  readonly prepared: Promise<ReadImage>
  /** The lossless PNG, made while a model may already work on the tensors. */
  readonly kept: Promise<Uint8Array | undefined>
}

interface Task {
  readonly id: number
  readonly job: ImagingJob
  readonly onPrepared?: ((prepared: ReadImage) => void) | undefined
  readonly resolve: (result: JobResult) => void
  readonly reject: (error: AppError) => void
  /** Workers that were killed from outside while they had it, or were to have it. */
  kills: number
}

interface Worker {
  readonly child: ChildProcess
  ready: boolean
  task: Task | undefined
  timer: NodeJS.Timeout | undefined
  timedOut: boolean
}

/** A worker that is killed says nothing about its image: the image is given to one more. */
const MAX_KILLS = 2

const WORKER_FILE = new URL('./imaging-worker.ts', import.meta.url)

export class ImagingPool {
  readonly #options: Required<ImagingPoolOptions>
  readonly #workers = new Set<Worker>()
  #queue: Task[] = []
  #nextId = 1
  #running = false

  constructor(options: ImagingPoolOptions) {
    this.#options = { timeoutMs: 30_000, maxWorkerBytes: 2 ** 30, queueLength: 64, ...options }
  }

  /** Starts the workers; they are ready a moment later, jobs wait for them. Without `ahead` each starts when needed. */
  start({ ahead = true }: { readonly ahead?: boolean } = {}): void {
    if (this.#running) return
    this.#running = true
    while (ahead && this.#workers.size < this.#options.workers) this.#spawn()
  }

  /** Ends the workers and refuses what they had not finished. Safe to call twice. */
  async stop(): Promise<void> {
    this.#running = false
    const waiting = this.#queue
    this.#queue = []
    for (const task of waiting) task.reject(stopped())
    await Promise.all(
      [...this.#workers].map(({ child }) => {
        const gone = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGKILL')
        return gone
      }),
    )
  }

  /**
   * Decodes an upload and prepares it for each of `wanted.preprocessing`.
   * @throws AppError of decodeImage (`invalid` for a frame that there is not); `undecodable-image` when it takes too long, too much memory or crashes the decoder;
   * `unavailable` when its worker was killed twice; `busy` when too many wait
   */
  read(bytes: Uint8Array, wanted: ReadOptions): Promise<ReadImage> {
    const { limits } = this.#options
    const { preprocessing, keep = false, frame } = wanted
    const job = { kind: 'read', bytes, limits, preprocessing, keep, frame } as const
    return this.#run(job) as Promise<ReadImage>
  }

  /** As `read` with `keep`, but the tensors do not wait for the PNG. Both promises fail with the errors of `read`. */
  readAhead(bytes: Uint8Array, wanted: Omit<ReadOptions, 'keep'>): ReadAhead {
    const { limits } = this.#options
    const { preprocessing, frame } = wanted
    const job = {
      kind: 'read',
      bytes,
      limits,
      preprocessing,
      keep: true,
      ahead: true,
      frame,
    } as const
    const { promise: prepared, resolve, reject } = Promise.withResolvers<ReadImage>()
    const whole = this.#run(job, resolve) as Promise<ReadImage>
    const kept = whole.then((read) => read.kept)
    whole.then(resolve, reject)
    // Whoever waits hears of a failure; nobody has to wait for both.
    prepared.catch(() => {})
    kept.catch(() => {})
    return { prepared, kept }
  }

  /** An 8-bit picture without metadata for a page, never enlarged. Errors as `read`. */
  async preview(
    bytes: Uint8Array,
    { maxSide }: { readonly maxSide: number },
  ): Promise<{ readonly bytes: Uint8Array; readonly type: 'image/webp' }> {
    const { limits } = this.#options
    const preview = await this.#run({ kind: 'preview', bytes, limits, maxSide })
    return { bytes: preview as Uint8Array, type: 'image/webp' }
  }

  /** A small JPEG for a document, with a heatmap laid over it where one is given. Errors as `read`. */
  print(bytes: Uint8Array, o: Pick<PrintJob, 'maxSide' | 'heatmap'>): Promise<Uint8Array> {
    const { limits } = this.#options
    const { maxSide, heatmap } = o
    return this.#run({ kind: 'print', bytes, limits, maxSide, heatmap }) as Promise<Uint8Array>
  }

  /** PNG of exactly width x height: a transparent overlay, or map and image in one when `composite` is given. */
  heatmap(request: Omit<HeatmapJob, 'kind' | 'limits'>): Promise<Uint8Array> {
    const { limits } = this.#options
    return this.#run({ kind: 'heatmap', limits, ...request }) as Promise<Uint8Array>
  }

  /** The image with its map upon it: [height, width, 3], 8 bits. Errors as `read`. */
  burn(
    bytes: Uint8Array,
    heatmap: Omit<HeatmapJob, 'kind' | 'limits' | 'composite'>,
  ): Promise<Uint8Array> {
    const { limits } = this.#options
    return this.#run({ kind: 'burn', limits, bytes, ...heatmap }) as Promise<Uint8Array>
  }

  /** Whose image a DICOM file is and of which study; to be handed on, not kept. Errors as readStudyIdentity. */
  identify(bytes: Uint8Array): Promise<StudyIdentity> {
    return this.#run({ kind: 'identify', bytes }) as Promise<StudyIdentity>
  }

  /** What goes on now: the worker processes, and how many jobs wait for one. */
  status(): {
    readonly workers: readonly { pid: number; busy: boolean }[]
    readonly waiting: number
  } {
    const workers = [...this.#workers].map(({ child, task }) => {
      return { pid: child.pid ?? 0, busy: task !== undefined }
    })
    return { workers, waiting: this.#queue.length }
  }

  #run(job: ImagingJob, onPrepared?: (prepared: ReadImage) => void): Promise<JobResult> {
    if (!this.#running) return Promise.reject(stopped())
    if (this.#queue.length >= this.#options.queueLength) {
      const message = 'Too many images are queued; try again in a moment.'
      return Promise.reject(new AppError('busy', message, { retryAfterSeconds: 1 }))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ id: this.#nextId++, job, onPrepared, resolve, reject, kills: 0 })
      this.#dispatch()
    })
  }

  #dispatch(): void {
    for (const worker of this.#workers) {
      if (this.#queue.length === 0) return
      if (worker.ready && !worker.task) this.#assign(worker, this.#queue.shift() as Task)
    }
    const starting = [...this.#workers].filter((worker) => !worker.ready).length
    const missing = this.#options.workers - this.#workers.size
    for (let i = 0; i < Math.min(missing, this.#queue.length - starting); i++) this.#spawn()
  }

  #assign(worker: Worker, task: Task): void {
    worker.task = task
    worker.timer = setTimeout(() => {
      worker.timedOut = true
      worker.child.kill('SIGKILL')
    }, this.#options.timeoutMs)
    const message: JobMessage = { id: task.id, job: task.job }
    // A failed send means that the worker is going; its exit settles the task.
    worker.child.send(message, () => {})
  }

  #spawn(): void {
    const { process: child } = startChild({
      module: WORKER_FILE,
      args: [String(this.#options.maxWorkerBytes)],
      nodeOptions: ['--max-old-space-size=512'],
      confined: {},
      output: 'none',
    })
    const worker: Worker = {
      child,
      ready: false,
      task: undefined,
      timer: undefined,
      timedOut: false,
    }
    this.#workers.add(worker)
    child.on('message', (message: ReplyMessage) => this.#settle(worker, message))
    child.on('error', () => {})
    child.once('exit', (code, signal) => {
      this.#bury(worker, { code, signal, timedOut: worker.timedOut })
    })
  }

  #settle(worker: Worker, message: ReplyMessage): void {
    if ('ready' in message) worker.ready = true
    else if ('prepared' in message) {
      if (worker.task?.id === message.id) worker.task.onPrepared?.(message.prepared)
      return
    } else if (worker.task?.id === message.id) {
      const { resolve, reject } = worker.task
      clearTimeout(worker.timer)
      worker.task = undefined
      if ('result' in message) resolve(message.result)
      else {
        const { code, message: sentence, cause } = message.error
        reject(new AppError(code, sentence, cause === undefined ? {} : { cause: new Error(cause) }))
      }
    }
    this.#dispatch()
  }

  /** A worker has ended: its own request fails or goes to the next worker, nothing else. A new one is started in its place. */
  #bury(worker: Worker, death: Death): void {
    clearTimeout(worker.timer)
    this.#workers.delete(worker)
    const { task, ready } = worker
    if (!this.#running) {
      task?.reject(stopped())
      return
    }
    if (ready) {
      if (task) this.#lost(task, death, imageFailed)
      this.#spawn()
    } else {
      // It never came up. One waiting request learns it; the next one tries again, so that no loop of starts arises.
      const next = this.#queue.shift()
      if (next) this.#lost(next, death, notStarted)
    }
    this.#dispatch()
  }

  /** The task is first in the queue again when its worker was killed from outside, once. */
  #lost(task: Task, death: Death, reason: (death: Death) => AppError): void {
    if (!isFromOutside(death)) {
      task.reject(reason(death))
      return
    }
    task.kills += 1
    if (task.kills < MAX_KILLS) this.#queue.unshift(task)
    else task.reject(killedTwice(death))
  }
}

function stopped(): AppError {
  return new AppError('unavailable', 'Roentgen is shutting down.', { retryAfterSeconds: 5 })
}
