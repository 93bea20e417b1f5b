// The example images of the diagnose page: golden images of the demonstration packages, which are synthetic.
import { join } from 'node:path'
import { readServingConfig } from '../../package/serving-config.ts'
import { packageDir } from '../../registry/home/store.ts'
import { demonstrationVersions } from '../../registry/versions/version-list.ts'
import type { Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'

export interface ExampleImage {
  readonly id: string
  readonly condition: string
  readonly label: string
  readonly path: string
}

const PER_CONDITION = 3

export class ExampleGallery {
  readonly #services: Uses<'db' | 'store'>
  /** By digest: packages never change. */
  readonly #known = new Map<string, readonly ExampleImage[]>()

  constructor(services: Uses<'db' | 'store'>) {
    this.#services = services
  }

  /** A few for each condition that has a demonstration version, classes taking turns. */
  async list(): Promise<readonly ExampleImage[]> {
    const versions = await demonstrationVersions(this.#services.db)
    const chosen = new Map<string, Version>()
    for (const version of versions) {
      if (version.active || !chosen.has(version.condition)) chosen.set(version.condition, version)
    }
    const lists = await Promise.all([...chosen.values()].map((version) => this.#of(version)))
    return lists.flat()
  }

  async find(id: string): Promise<ExampleImage | undefined> {
    const find = () => [...this.#known.values()].flat().find((one) => one.id === id)
    if (!find()) await this.list()
    return find()
  }

  async #of(version: Version): Promise<readonly ExampleImage[]> {
    const before = this.#known.get(version.sha256)
    if (before) return before
    const dir = packageDir(this.#services.store, version)
    const golden = await readServingConfig(dir).then(
      (config) => config.golden,
      () => undefined,
    )
    const items = (golden?.items ?? []).flatMap(({ file, label }, index) =>
      label === null ? [] : [{ id: `${version.sha256.slice(0, 16)}-${index}`, file, label }],
    )
    const examples = inTurns(items)
      .slice(0, PER_CONDITION)
      .map(({ id, file, label }) => ({
        id,
        label,
        condition: version.condition,
        path: join(dir, file),
      }))
    this.#known.set(version.sha256, examples)
    return examples
  }
}

/** One of each label, then the second of each, and so on. */
function inTurns<T extends { readonly label: string }>(items: readonly T[]): T[] {
  const byLabel = [...Map.groupBy(items, (one) => one.label).values()]
  const rounds = Math.max(0, ...byLabel.map((list) => list.length))
  return Array.from({ length: rounds }, (_, i) => byLabel.flatMap((list) => list[i] ?? [])).flat()
}
