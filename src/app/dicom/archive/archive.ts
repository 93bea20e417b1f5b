// The way from and to an image archive: images come by STOW-RS, from a watched folder or by asking the archive; they are read
// by the conditions that are set to, and the results are stored beside them. Does nothing where nothing is set.
import { setTimeout as delay } from 'node:timers/promises'
import { AppError, messageOf } from '../../../errors.ts'
import { waitingImages } from '../../../registry/archive/archive-jobs.ts'
import type { Shadow } from '../../diagnosis/shadow.ts'
import { asAppError } from '../../problem.ts'
import type { Uses } from '../../services.ts'
import { deliverTo } from './deliver.ts'
import type { ArchiveAddress } from './dicomweb-client.ts'
import { archiveImageKind } from './image-kind.ts'
import { type Received, receiveImage } from './intake.ts'
import { pollArchive } from './poll-archive.ts'
import { type Sightings, scanFolder } from './scan-folder.ts'
import { openSpool, type Spool } from './spool.ts'

const RETRY_MS = 5000

export interface ArchiveOptions {
  /** Pause before the second try; doubled with each further one. */
  readonly retryMs?: number
}

export interface SourceStatus {
  readonly name: 'stow' | 'folder' | 'archive'
  readonly isOn: boolean
  /** When it was last looked at with success; null: not yet. */
  readonly inspectedAt: string | null
  /** Why the last look failed. */
  readonly problem: string | null
}

export class Archive {
  readonly #services: Uses<
    'clock' | 'config' | 'db' | 'imaging' | 'jobs' | 'leaving' | 'log' | 'recovered'
  >
  readonly #ending = new AbortController()
  readonly #spool: Spool
  readonly #address: ArchiveAddress | undefined
  readonly #sources: Record<'folder' | 'archive', Pick<SourceStatus, 'inspectedAt' | 'problem'>> = {
    folder: { inspectedAt: null, problem: null },
    archive: { inspectedAt: null, problem: null },
  }
  #running: Promise<unknown> | undefined
  #tidied: Promise<void> | undefined

  constructor(
    services: Uses<
      | 'clock'
      | 'config'
      | 'db'
      | 'imaging'
      | 'jobs'
      | 'leaving'
      | 'log'
      | 'makeReady'
      | 'metrics'
      | 'recovered'
      | 'runtime'
      | 'store'
    > & { readonly shadow: Shadow },
    { retryMs = RETRY_MS }: ArchiveOptions = {},
  ) {
    this.#services = services
    const { dicom, dataDir, maxUploadBytes } = services.config
    const { signal } = this.#ending
    this.#spool = openSpool(dataDir)
    this.#address = dicom.archive
      ? {
          base: dicom.archive,
          authorization: dicom.archiveAuthorization,
          maxObjectBytes: maxUploadBytes,
          signal,
        }
      : undefined
    const deliver = deliverTo({ archive: this.#address, folder: dicom.folder, dataDir })
    services.jobs.kinds.add(archiveImageKind(services, { spool: this.#spool, deliver, retryMs }))
  }

  get isOn(): boolean {
    return this.sources().some(({ isOn }) => isOn)
  }

  sources(): SourceStatus[] {
    const { stow, folder } = this.#services.config.dicom
    return [
      { name: 'stow', isOn: stow, inspectedAt: null, problem: null },
      { name: 'folder', isOn: folder !== undefined, ...this.#sources.folder },
      { name: 'archive', isOn: this.#address !== undefined, ...this.#sources.archive },
    ]
  }

  /** Looks for images where that is set. What waits from before is worked off by the jobs in any case. */
  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => {
      if (this.#ending.signal.aborted) return
      this.#services.log.error({ err: error }, 'images from an archive cannot be worked on')
    })
  }

  /** Lets go of everything; what is half done is done again at the next start. Safe to call twice. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  /** An image that somebody sent, of this study where one was named. @throws AppError those of receiveImage */
  async receive(bytes: Uint8Array, o: { readonly study?: string | undefined }): Promise<Received> {
    await this.#tidy()
    const from = { bytes, source: 'stow', spool: this.#spool, study: o.study } as const
    return receiveImage(this.#services, from)
  }

  async #run(): Promise<void> {
    await this.#tidy()
    const { folder } = this.#services.config.dicom
    const seen: Sightings = new Map()
    const [spool, archive] = [this.#spool, this.#address]
    await Promise.all([
      folder && this.#again('folder', () => scanFolder(this.#services, { folder, seen, spool })),
      archive && this.#again('archive', () => pollArchive(this.#services, { archive, spool })),
    ])
  }

  /** Once, before anything comes: what a killed server left in the spool is removed. */
  #tidy(): Promise<void> {
    const { recovered, db } = this.#services
    this.#tidied ??= recovered.then(async () => {
      await this.#spool.keepOnly(await waitingImages(db))
    })
    return this.#tidied
  }

  /** A look now and then until the end; a failing one is told of on the page, and once in the log. */
  async #again(name: 'folder' | 'archive', look: () => Promise<void>): Promise<void> {
    const { signal } = this.#ending
    const { clock, log, config } = this.#services
    while (!signal.aborted) {
      try {
        await look()
        this.#sources[name] = { inspectedAt: clock().toISOString(), problem: null }
      } catch (error) {
        if (signal.aborted) return
        const problem =
          error instanceof AppError
            ? error.message
            : name === 'folder'
              ? 'The folder cannot be read.'
              : asAppError(error).message
        if (this.#sources[name].problem !== problem) {
          log.warn({ source: name, reason: messageOf(error) }, 'images cannot be looked for')
        }
        this.#sources[name] = { ...this.#sources[name], problem }
      }
      await delay(config.dicom.pollMs, undefined, { signal }).catch(() => {})
    }
  }
}
