// One home: a model store and a data folder with everything that works on them, wired together. The web server serves
// it; the command line opens it in its own process when no server runs. Holds the home's lock from `openApplication` to `close`.
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import { ImagingPool } from '../imaging/imaging-pool.ts'
import { ModelRuntime } from '../inference/runtime.ts'
import { parseVersion } from '../package/ids.ts'
import { applyPointerEdits } from '../registry/activation/pointer-edits.ts'
import { recover } from '../registry/activation/recover.ts'
import type { Backup } from '../registry/home/backup.ts'
import { lockFolders } from '../registry/home/home-lock.ts'
import { openRegistry, type Registry } from '../registry/home/open-registry.ts'
import type { RegistryContext } from '../registry/home/registry-context.ts'
import { openStore, type Store } from '../registry/home/store.ts'
import { refuseUnmounted } from '../registry/home/store-marker.ts'
import type { InboxItem } from '../registry/inbox/inbox.ts'
import { Watcher } from '../registry/inbox/watcher.ts'
import { sqliteJobStore } from '../registry/jobs/sqlite-job-store.ts'
import { listActive, verifyOne } from '../registry/versions/verify-all.ts'
import { getVersion } from '../registry/versions/versions.ts'
import type { ApplicationOptions, ApplicationParts } from './application-parts.ts'
import { BackgroundTasks } from './background-tasks.ts'
import { Backups } from './backups.ts'
import { BatchJobs } from './batches/batch-job.ts'
import { PairedJobs } from './comparisons/paired-job.ts'
import { DatasetService } from './datasets/dataset-service.ts'
import { activateDemonstration, seedStore } from './demonstration.ts'
import { ExampleGallery } from './diagnosis/examples.ts'
import { Shadow } from './diagnosis/shadow.ts'
import { Archive } from './dicom/archive/archive.ts'
import { EvaluationJobs } from './evaluations/evaluation-jobs.ts'
import { JobQueue } from './jobs/job-queue.ts'
import { createLog, type Log } from './log.ts'
import { scheduleMaintenance } from './maintenance.ts'
import { Metrics } from './metrics.ts'
import { conversionKind } from './models/conversion-job.ts'
import { convertFromInbox } from './models/import-model.ts'
import { PendingImports } from './models/pending-imports.ts'
import { NotificationSender } from './notifications/notification-sender.ts'
import { TrainingQueue } from './runs/training-queue.ts'
import { restoreActive, restoreChallengers } from './serving-upkeep.ts'
import { waitFor } from './wait-for.ts'

/**
 * Takes the lock and opens what must be open; what takes time goes on behind it, see `Application.recovered` and `Application.settled`.
 * @throws AppError `home-in-use`, `unavailable`
 */
export async function openApplication(
  config: Config,
  options: ApplicationOptions,
): Promise<Application> {
  // What is written from here on, by child processes too, is for this user only.
  process.umask(0o077)
  refuseUnmounted(config)
  const lock = lockFolders(config)
  try {
    const store = await openStore(config)
    const registry = await openRegistry(config)
    return new Application({ config, options, lock, store, registry })
  } catch (error) {
    lock.release()
    throw error
  }
}

export class Application implements RegistryContext {
  readonly config: Config
  readonly log: Log
  readonly store: Store
  readonly db: Registry['db']
  readonly clock = (): Date => new Date()
  readonly imaging: ImagingPool
  readonly runtime: ModelRuntime
  readonly metrics = new Metrics()
  readonly datasets: DatasetService
  readonly runs: TrainingQueue
  /** Challengers that look on. */
  readonly shadow: Shadow
  /** Work that goes on after the answer. */
  readonly jobs: JobQueue
  readonly tasks: BackgroundTasks
  readonly examples: ExampleGallery
  readonly evaluations: EvaluationJobs
  readonly batches: BatchJobs
  /** Two versions on many images. */
  readonly comparisons: PairedJobs
  /** Models between upload and registration. */
  readonly imports: PendingImports
  /** The way from and to an image archive. */
  readonly archive: Archive
  /** Tells people what has ended. */
  readonly post: NotificationSender
  /** What the registry asks to prove a version: the runtime's hosts. */
  readonly gate: RegistryContext['gate']
  /** Fulfilled when the registry is the truth again after whatever ended the last process. Never rejects. */
  readonly recovered: Promise<void>
  /** Fulfilled when every active version was loaded, or has failed to; the demonstration is in place. Never rejects. */
  readonly settled: Promise<void>
  readonly #parts: ApplicationParts
  readonly #watcher: Watcher
  #failure: AppError | undefined
  #isSettled = false
  readonly #backups = new Backups()
  readonly #ending = new AbortController()
  #closing: Promise<void> | undefined

  constructor(parts: ApplicationParts) {
    const { config, options, store, registry } = parts
    this.#parts = parts
    this.config = config
    this.log = options.log ?? createLog(config.logLevel)
    this.store = store
    this.db = registry.db
    this.imaging = new ImagingPool({
      workers: config.imagingWorkers,
      limits: { maxBytes: config.maxUploadBytes, maxPixels: config.maxPixels },
      queueLength: config.queueLength,
    })
    this.runtime = new ModelRuntime({
      dataDir: config.dataDir,
      threads: config.threads,
      queueLength: config.queueLength,
      hostMemoryBytes: config.hostMemoryBytes,
      warmMs: config.warmMs,
      imaging: this.imaging,
      log: this.log,
      onDamage: ({ id }) => void this.#reverify(id),
    })
    this.gate = {
      prepare: (source, wanted) => this.runtime.prepare(source, { ...wanted, isVerified: true }),
      endChallenger: (condition) => this.runtime.challengers.end(condition),
    }
    this.shadow = new Shadow(this)
    this.tasks = new BackgroundTasks(this.log)
    this.jobs = new JobQueue({ store: sqliteJobStore(this.db), clock: this.clock, log: this.log })
    this.jobs.kinds.add(conversionKind())
    this.post = new NotificationSender(this)
    const { datasetsDir, threads } = config
    this.datasets = new DatasetService(this)
    this.runs = new TrainingQueue({
      ...{ context: this, jobs: this.jobs, datasetsDir, threads },
      options: options.training,
    })
    this.#watcher = new Watcher(this, {
      convert: (path, details) => convertFromInbox(this, { path, details }),
      requiresTrust: config.requireSignature,
    })
    this.recovered = this.#recover()
    this.examples = new ExampleGallery(this)
    this.evaluations = new EvaluationJobs(this)
    this.batches = new BatchJobs(this)
    this.comparisons = new PairedJobs(this)
    this.imports = new PendingImports(this)
    this.archive = new Archive(this, options.archive)
    this.settled = this.recovered.then(() => this.#settle())
  }

  /** Why the registry could not be recovered, if so: nothing can be done with this home then. */
  get failure(): AppError | undefined {
    return this.#failure
  }

  /** True when the registry is open and every active version can answer. */
  get isReady(): boolean {
    return this.#isSettled && this.#failure === undefined && this.runtime.isReady()
  }

  /** Sentences that say what is not ready. */
  get reasons(): readonly string[] {
    if (this.#failure) return [this.#failure.message]
    const notReady = this.runtime.conditions().filter((one) => one.state !== 'ready')
    const reasons = notReady.map(
      ({ versionId, state, reason }) => `${versionId} is ${state}: ${reason}`,
    )
    return this.#isSettled ? reasons : ['The active versions are being loaded.', ...reasons]
  }

  /** What was dropped into models/inbox and is not a version yet. */
  get inbox(): readonly InboxItem[] {
    return this.#watcher.inbox
  }

  /** @throws AppError `loading` when it takes longer than ten seconds */
  async waitUntilRecovered(): Promise<void> {
    await waitFor(this.recovered)
    if (this.#failure) throw this.#failure
  }

  /** @throws AppError `loading` when it takes longer than ten seconds */
  async waitUntilSettled(): Promise<void> {
    if (!this.#isSettled) await waitFor(this.settled)
  }

  /**
   * For a request that found no version answering: the first start may still be at it, and a visit loads only what it
   * is asked for. @throws AppError `loading`
   */
  async makeReady(condition: string): Promise<void> {
    if (this.#parts.options.isServer) return this.waitUntilSettled()
    const active = (await listActive(this.db)).filter((one) => one.condition === condition)
    await restoreActive(this, active)
  }

  /** Aborted when the server is about to end: streams end then, so that nobody waits for them. */
  get leaving(): AbortSignal {
    return this.#ending.signal
  }

  /** No new work is begun and streams end; `close` follows when what is being answered is done. */
  leave(): void {
    this.#ending.abort()
    void this.jobs.stop()
    void this.archive.stop()
  }

  /** Everything that the home holds, as one zip. @throws AppError `busy` while another one is made */
  backup(): Promise<Backup> {
    const { registry } = this.#parts
    return this.#backups.make({ registry, store: this.store, clock: this.clock })
  }

  /** Stops watching, ends the hosts and workers, closes the registry, lets go of the lock. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #recover(): Promise<void> {
    try {
      this.imaging.start({ ahead: this.#parts.options.isServer })
      await this.runtime.start()
      if (this.config.demo === 'auto') await seedStore(this)
      const recovery = await recover(this)
      for (const { what, problem } of recovery.problems)
        this.log.warn({ what, problem }, 'not listed')
      await this.jobs.settle()
      await this.datasets.settle()
    } catch (error) {
      this.log.error({ err: error }, 'the home could not be recovered')
      this.#failure =
        error instanceof AppError
          ? error
          : new AppError('unavailable', 'The registry could not be repaired; see the log.')
    }
  }

  /** Loads what was active, in parallel, and gives an empty home its demonstration. */
  async #settle(): Promise<void> {
    try {
      if (this.#failure || this.#closing) return
      if (!this.#parts.options.isServer) return
      await restoreActive(this, await listActive(this.db))
      // Before the demonstration: a person's edit of active.json, made while nothing ran, goes first.
      await applyPointerEdits(this)
      if (this.config.demo === 'auto') await activateDemonstration(this)
      await restoreChallengers(this)
      if (!this.#closing) {
        await scheduleMaintenance(this)
        await this.#watcher.start()
        this.jobs.start()
        this.post.start()
        this.archive.start()
      }
      if (!this.#closing) await this.runs.start()
    } catch (error) {
      if (!this.#closing) this.log.error({ err: error }, 'not everything could be loaded')
    } finally {
      this.#isSettled = true
    }
  }

  /** The runtime found a package other than its manifest says, or whole again; the registry looks for itself. */
  async #reverify(id: string): Promise<void> {
    try {
      await verifyOne(this, await getVersion(this.db, parseVersion(id)))
    } catch (error) {
      if (!this.#closing) this.log.error({ err: error, version: id }, 'could not be verified again')
    }
  }

  async #close(): Promise<void> {
    this.#ending.abort()
    await this.recovered
    // Jobs first: what the archive then breaks off is not a failure of theirs.
    await Promise.all([this.jobs.stop(), this.archive.stop()])
    await this.#watcher.stop()
    await this.shadow.stop()
    await this.post.stop()
    await this.tasks.stop()
    await this.runtime.stop()
    await this.imaging.stop()
    await this.settled
    await this.#parts.registry.close()
    this.#parts.lock.release()
  }
}
