// Models from elsewhere between upload and registration: kept aside while a person says what they are, converted, tried on
// an image, and then saved or thrown away. What nobody comes back to is removed after an hour, and at every start.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseForeignFields } from '../../conversion/import/foreign-fields.ts'
import { AppError } from '../../errors.ts'
import { formatTitle, type ModelFileKind } from '../../formats/detect-format.ts'
import type { Diagnosis } from '../../inference/diagnose.ts'
import { readManifest } from '../../package/manifest.ts'
import type { Manifest, ModelConfig } from '../../package/schema.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import { findCondition } from '../../registry/conditions/conditions.ts'
import type { Actor } from '../../registry/home/registry-context.ts'
import { type AddedVersion, addVersion } from '../../registry/versions/add-version.ts'
import { inferImage } from '../diagnosis/infer-image.ts'
import type { Uses } from '../services.ts'
import { convertAsJob } from './conversion-job.ts'
import { refuseUnsigned } from './import-model.ts'

export interface PendingImport {
  readonly id: string
  /** As its sender called it. */
  readonly fileName: string
  readonly kind: ModelFileKind
  /** The kind, for a person. */
  readonly format: string
  readonly size: number
  /** What was last said about it. */
  readonly fields: Readonly<Record<string, string>>
  readonly trial: Trial | null
}

/** The converted package, and what it made of an image. */
export interface Trial {
  readonly manifest: Manifest
  readonly diagnosis: Diagnosis
  readonly input: { readonly width: number; readonly height: number; readonly channels: number }
  /** How its outputs were read. */
  readonly outputs: ModelConfig['outputs']
}

interface Entry extends PendingImport {
  readonly dir: string
  readonly packageDir: string | null
  readonly until: number
}

const KEEP_MS = 60 * 60_000
/** Each may be as large as an import may be. */
const MAX_ENTRIES = 8
/** No registered version has this number; the trial is registered nowhere. */
const TRIAL_NUMBER = 999_999_999

export class PendingImports {
  readonly #services: Uses<
    'clock' | 'config' | 'db' | 'gate' | 'imaging' | 'jobs' | 'log' | 'runtime' | 'store'
  >
  readonly #entries = new Map<string, Entry>()

  constructor(
    services: Uses<
      | 'clock'
      | 'config'
      | 'db'
      | 'gate'
      | 'imaging'
      | 'jobs'
      | 'leaving'
      | 'log'
      | 'runtime'
      | 'store'
    >,
  ) {
    this.#services = services
    const sweep = setInterval(() => void this.#sweep(), KEEP_MS / 12)
    sweep.unref()
    services.leaving.addEventListener('abort', () => clearInterval(sweep))
  }

  /** Takes the file away from where it was spooled. @throws AppError `conflict`, `untrusted` */
  async begin(file: {
    path: string
    fileName: string
    kind: ModelFileKind
    size: number
  }): Promise<string> {
    refuseUnsigned(this.#services)
    await this.#sweep()
    if (this.#entries.size >= MAX_ENTRIES) {
      const message = 'Several imports are open; save or discard one first.'
      throw new AppError('conflict', message)
    }
    const id = randomUUID()
    const dir = join(this.#services.store.stagingDir, `pending-${id}`)
    await mkdir(dir, { recursive: true })
    await rename(file.path, join(dir, 'model'))
    const { fileName, kind, size } = file
    const rest = { fields: {}, trial: null, packageDir: null, until: Date.now() + KEEP_MS }
    this.#entries.set(id, { id, dir, fileName, kind, format: formatTitle(kind), size, ...rest })
    return id
  }

  /** @throws AppError `gone` */
  get(id: string): PendingImport {
    return this.#entry(id)
  }

  /** What the form said, to be shown again. */
  note(id: string, fields: Readonly<Record<string, string>>): void {
    this.#entries.set(id, { ...this.#entry(id), fields })
  }

  /**
   * Converts it as described and predicts on the image with it.
   * @throws AppError `gone`, `invalid`, `invalid-package`, `conflict`, and those of imaging and inference
   */
  async runTrial(
    id: string,
    {
      fields: given,
      image,
      actor,
    }: {
      readonly fields: Readonly<Record<string, string>>
      readonly image: Uint8Array
      readonly actor: Actor
    },
  ): Promise<void> {
    const entry = await this.#forget(id)
    const fields = parseForeignFields(given)
    const made = join(entry.dir, `made-${randomUUID()}`)
    const condition = await findCondition(this.#services.db, fields.condition)
    const model = {
      ...{ kind: entry.kind, path: join(entry.dir, 'model'), sourceName: entry.fileName },
      ...{ fields, condition, stagingDir: made },
    }
    const packageDir = await convertAsJob(this.#services, { model, actor })
    const trial = await this.#predict(packageDir, image)
    this.#entries.set(id, { ...this.#entry(id), packageDir, trial })
  }

  /** As it was tried, as `addVersion` does. @throws AppError `gone`, `conflict` when it was not tried, and those of registering */
  async save(id: string, actor: Actor): Promise<AddedVersion> {
    const { packageDir } = this.#entry(id)
    if (!packageDir) throw new AppError('conflict', 'Test it on an image first.')
    const added = await addVersion(this.#services, { fromDir: packageDir, actor, isForeign: true })
    await this.discard(id)
    return added
  }

  /** A second time nothing happens. */
  async discard(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    this.#entries.delete(id)
    if (entry) await rm(entry.dir, { recursive: true, force: true })
  }

  async #predict(dir: string, image: Uint8Array): Promise<Trial> {
    const { manifest, sha256 } = await readManifest(dir)
    const { condition, name } = manifest
    const source = { id: `${condition}/${name}@${TRIAL_NUMBER}`, dir, sha256 }
    const { diagnosis, held } = await inferImage(this.#services, {
      hold: (use) => this.#services.runtime.runTrial(source, use),
      rule: () => manifest,
      image,
    })
    const { width, height, channels } = held.preprocessing
    const { model } = await readServingConfig(dir)
    const input = { width, height, channels }
    return { manifest, diagnosis, input, outputs: model.outputs }
  }

  /** What was tried before is another model. */
  async #forget(id: string): Promise<Entry> {
    const entry = this.#entry(id)
    const fresh = { ...entry, trial: null, packageDir: null, until: Date.now() + KEEP_MS }
    this.#entries.set(id, fresh)
    for (const name of await readdir(entry.dir)) {
      if (name.startsWith('made-'))
        await rm(join(entry.dir, name), { recursive: true, force: true })
    }
    return fresh
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry) return entry
    throw new AppError('gone', 'This upload has expired; upload the model again.')
  }

  async #sweep(): Promise<void> {
    for (const { id, until } of this.#entries.values())
      if (until < Date.now()) await this.discard(id)
  }
}
