// What doctor looks at in the home itself: the database, every file of every package, and what answers.
import type { Config } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { withApi } from '../api.ts'
import { startProgress } from '../progress.ts'
import { listedVersions, verifyPackageOf } from './packages.ts'

export async function database({ dataDir }: Config): Promise<string> {
  const { checkDatabase, hasDatabase } = await import('../../registry/home/check-database.ts')
  if (!hasDatabase(dataDir)) return 'created at first start'
  checkDatabase(dataDir)
  return 'sound'
}

/** Every file is hashed, of a registered package against the digest that it was registered with. */
export async function packages(config: Config): Promise<string> {
  const { hasDatabase } = await import('../../registry/home/check-database.ts')
  const found = hasDatabase(config.dataDir)
    ? await withApi(config, (api) => listedVersions(api, []))
    : await inStore(config)
  if (found.length === 0) return 'there are none'
  const progress = startProgress('hashed')
  const damaged: string[] = []
  for (const [i, version] of found.entries()) {
    const { ok, detail } = await verifyPackageOf(config, version)
    if (!ok) damaged.push(`${version.id}: ${detail}`)
    progress.update(i + 1, found.length, version.id)
  }
  progress.end()
  if (damaged.length === 0) return `${found.length} intact, every file hashed`
  throw new AppError(
    'hash-mismatch',
    `${damaged.length} of ${found.length} are damaged; import them again or restore their files. ${damaged.join(' ')}`,
  )
}

/** Without a database: those of the store, each against its own manifest. */
async function inStore({ modelsDir }: Config) {
  const { scanStore } = await import('../../registry/versions/scan-store.ts')
  const { formatVersion } = await import('../../package/ids.ts')
  return (await scanStore(modelsDir)).map((ref) => ({ id: formatVersion(ref), sha256: undefined }))
}

/** Does what should answer, answer? */
export async function conditions(config: Config): Promise<string> {
  const { hasDatabase } = await import('../../registry/home/check-database.ts')
  if (!hasDatabase(config.dataDir)) return 'none yet'
  const found = await withApi(config, (api) => api.json<Condition[]>('/api/v1/conditions'))
  const damaged = found.filter(({ active }) => active?.state === 'damaged')
  if (damaged.length > 0) {
    const names = damaged.map(({ id, active }) => `${active?.version} of ${id}`).join(', ')
    throw new AppError(
      'hash-mismatch',
      `${names} runs from a private copy because its package is damaged; activate an intact version.`,
    )
  }
  const stale = found.filter(({ active }) => active?.pointer === 'stale')
  if (stale.length > 0) {
    throw new AppError(
      'unavailable',
      `active.json of ${stale.map(({ id }) => id).join(', ')} cannot be written and says something old; check the owner, permissions and free space of the model store.`,
    )
  }
  const answering = found.filter(({ active }) => active).length
  return `${answering} of ${found.length} have an active version`
}

/** What was dropped into the inbox and refused, or waits for its details. */
export async function inbox(config: Config): Promise<string> {
  const { hasDatabase } = await import('../../registry/home/check-database.ts')
  if (!hasDatabase(config.dataDir)) return 'empty'
  const { items } = await withApi(config, (api) =>
    api.json<{ items: { name: string; state: string; reason: string }[] }>('/api/v1/inbox'),
  )
  const stuck = items.filter(({ state }) => state !== 'waiting')
  if (stuck.length === 0) return items.length === 0 ? 'empty' : `${items.length} still copying`
  throw new AppError(
    'invalid-package',
    stuck.map(({ name, reason }) => `${name}: ${reason}`).join(' '),
  )
}

/** Images that were set aside because no row of the database names them. */
export async function lostImages(config: Config): Promise<string> {
  const { countLost, lostSentence } = await import('../../registry/home/lost.ts')
  const count = await countLost(config)
  if (count === 0) return 'none'
  throw new AppError('conflict', lostSentence(count))
}
