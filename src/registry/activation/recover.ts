// What a start does before anything answers: closes what a killed process left open, lists what lies in the store,
// and brings active.json back to the truth. Edits made while nothing ran are left for pointer-edits.ts.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseVersion } from '../../package/ids.ts'
import { type Condition, listConditions } from '../conditions/conditions.ts'
import { bringBack, countLost, lostSentence, setAside } from '../home/lost.ts'
import type { RegistryContext } from '../home/registry-context.ts'
import { setWarning } from '../home/warnings.ts'
import { removeForgottenImages } from '../predictions/forget.ts'
import { type Adopted, adoptPackages } from '../versions/adopt-packages.ts'
import { scanStore } from '../versions/scan-store.ts'
import { listActive, presentVersions } from '../versions/verify-all.ts'
import { finishDeletions } from '../versions/version-bin.ts'
import { keepNumber } from '../versions/version-rows.ts'
import { setIntegrity, type Version, versionRowId } from '../versions/versions.ts'
import { insertActivation, updateActivation } from './activations.ts'
import { readPointer } from './active-pointer.ts'
import { verifyVersion } from './gate-steps.ts'
import { isOurs, versionNamed } from './pointer-edits.ts'
import { followTruth } from './switch-over.ts'

export interface Recovery extends Adopted {
  /** Activations that had begun and had not been decided; now refused. */
  readonly interrupted: number
  /** Versions that answer although their packages are damaged; a verified copy must serve them. */
  readonly damaged: readonly string[]
}

type Place = Pick<RegistryContext, 'db' | 'store' | 'clock' | 'log'>

/** Above this size a start hashes only the files that serving needs. */
const QUICK_FROM = 64 * 1024 * 1024

export async function recover(ctx: Place): Promise<Recovery> {
  await emptyFolder(ctx.store.stagingDir)
  await finishDeletions(ctx)
  await removeForgottenImages(ctx)
  await setAsideStrayImages(ctx)
  const interrupted = await refuseInterrupted(ctx)
  const adopted = await adoptPackages(ctx)
  // Numbers of deleted versions stay taken, also for a registry that was made anew and knows nothing of them.
  for (const ref of await scanStore(ctx.store.binDir)) await keepNumber(ctx.db, ref)
  await markMissing(ctx)
  for (const condition of await listConditions(ctx.db)) await settlePointer(ctx, condition)
  const damaged: string[] = []
  for (const { version } of await listActive(ctx.db)) {
    if (!(await looksIntact(ctx, version))) damaged.push(version.id)
  }
  return { ...adopted, interrupted, damaged }
}

async function emptyFolder(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true, force: true })
}

/** An image that no prediction names is set aside: it is the database that may be the wrong one. */
async function setAsideStrayImages({ db, store, log }: Place): Promise<void> {
  const rows = await db
    .selectFrom('predictions')
    .select('image_file')
    .where('image_file', 'is not', null)
    .execute()
  const kept = new Set(rows.flatMap(({ image_file }) => image_file ?? []))
  const { uploadsDir } = store
  const back = await bringBack(store, { kind: 'uploads', names: kept, to: uploadsDir })
  if (back > 0) log.info({ images: back }, 'brought back from data/lost')
  let lost = 0
  for (const name of await readdir(uploadsDir)) {
    if (kept.has(name)) continue
    await setAside(store, { kind: 'uploads', from: uploadsDir, name })
    lost++
  }
  if (lost > 0) log.warn({ images: lost }, 'no row names them: set aside in data/lost')
  const count = await countLost(store)
  setWarning(db, 'lost', count > 0 ? lostSentence(count) : null)
}

async function refuseInterrupted({ db, clock }: Place): Promise<number> {
  const pending = await db
    .selectFrom('activations')
    .select('id')
    .where('outcome', '=', 'pending')
    .execute()
  const detail = 'the server stopped before this completed'
  for (const { id } of pending) {
    await updateActivation(db, id, {
      at: clock().toISOString(),
      outcome: 'refused',
      steps: [{ name: 'load', ok: false, ms: 0, detail }],
    })
  }
  return pending.length
}

async function markMissing({ db, store, clock }: Place): Promise<void> {
  const onDisk = new Set((await scanStore(store.modelsDir)).map(key))
  for (const version of await presentVersions(db)) {
    if (onDisk.has(key(version))) continue
    await setIntegrity(db, { version, damage: 'Its files are missing from the store.', clock })
  }
}

function key({ condition, name, n }: Pick<Version, 'condition' | 'name' | 'n'>): string {
  return `${condition}/${name}/${n}`
}

async function looksIntact(ctx: Place, version: Version): Promise<boolean> {
  const quick = version.status !== 'quarantined' && version.sizeBytes > QUICK_FROM
  const only = quick ? { only: 'serving' as const } : {}
  return verifyVersion(ctx, { version, ...only }).then(
    () => true,
    () => false,
  )
}

async function settlePointer(ctx: Place, condition: Condition): Promise<void> {
  const file = await readPointer(ctx.store, condition.id)
  if (!condition.active) {
    if (file.state === 'read') await adoptActive(ctx, { condition, file })
    return
  }
  if (file.state === 'absent' || file.state === 'unknown') {
    await followTruth(ctx, condition.id)
    return
  }
  if (file.state === 'unreadable') return
  const current = file.version === condition.active.version
  if (current || (await isOurs(ctx.db, { condition: condition.id, file }))) {
    const exact = file.activation === condition.active.activation
    if (!current || !exact || file.sha256 !== condition.active.sha256) {
      await followTruth(ctx, condition.id)
    }
  }
}

/**
 * The registry is gone and active.json, written by the one before, still says what answered: it goes on answering.
 * A file without an id, or whose digest is another one, is a person's request, and goes through the gate later.
 */
async function adoptActive(
  ctx: Place,
  options: {
    condition: Condition
    file: { version: string; sha256?: string | undefined; activation?: string | undefined }
  },
): Promise<void> {
  const { condition, file } = options
  const version = await versionNamed(ctx.db, { condition: condition.id, version: file.version })
  const usable = version?.status === 'verified' || version?.status === 'unevaluated'
  if (!version || !usable || !file.activation || file.sha256 !== version.sha256) return
  if (await hasHistory(ctx, condition.id)) return
  await ctx.db.transaction().execute(async (trx) => {
    const id = await insertActivation(trx, {
      condition: condition.id,
      version: version.id,
      sha256: version.sha256,
      previous: null,
      at: ctx.clock().toISOString(),
      actor: { by: 'roentgen', via: 'file' },
      kind: 'adopted',
      reason: 'adopted from active.json (registry rebuilt from the packages)',
      outcome: 'activated',
      steps: [
        { name: 'manifest', ok: true, ms: 0, detail: 'all files were intact when registered' },
        { name: 'pointer', ok: true, ms: 0, detail: 'adopted' },
      ],
      // active.json does not tell; float32 is what every version has.
      precision: 'float32',
    })
    const active_version = await versionRowId(trx, parseVersion(version.id))
    await trx
      .updateTable('conditions')
      .where('id', '=', condition.id)
      .set({ active_version, active_activation: id })
      .execute()
  })
  await followTruth(ctx, condition.id)
}

async function hasHistory({ db }: Place, condition: string): Promise<boolean> {
  const row = await db
    .selectFrom('activations')
    .select('id')
    .where('condition', '=', condition)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
