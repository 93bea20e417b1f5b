// An empty model store is given the demonstration packages that come with the product. Which of them answers is the
// caller's choice, among the versions that `findDefaultVersion` names.
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { isAppError } from '../../errors.ts'
import { copyFolder } from '../../package/durable-files.ts'
import { formatVersion, type VersionRef } from '../../package/ids.ts'
import { verifyPackage } from '../../package/verify-package.ts'
import { packageDir, type Store } from '../home/store.ts'
import type { Db } from '../schema/database.ts'
import { scanStore } from './scan-store.ts'
import { demonstrationVersions } from './version-list.ts'
import type { Version } from './versions.ts'

/** The tag of the package that is meant to answer first. */
export const DEFAULT_TAG = 'default'

/**
 * Copies every intact package marked `demonstration` from `fromDir`, itself a model store, into one that holds no
 * package. Returns what was copied: nothing when the store is that folder or holds anything. Recovery then lists them.
 */
export async function seedDemonstration(store: Store, fromDir: string): Promise<VersionRef[]> {
  const available = await scanStore(fromDir)
  if (available.length === 0 || (await realpath(fromDir)) === (await realpath(store.modelsDir))) {
    return []
  }
  if ((await scanStore(store.modelsDir)).length > 0) return []
  const copied: VersionRef[] = []
  for (const ref of available) {
    const from = join(fromDir, ref.condition, ref.name, `v${ref.n}`)
    if (!(await isIntactDemonstration(from))) continue
    await copyFolder(from, packageDir(store, ref))
    copied.push(ref)
  }
  return copied
}

async function isIntactDemonstration(dir: string): Promise<boolean> {
  try {
    const { manifest } = await verifyPackage(dir)
    return manifest.demonstration
  } catch (error) {
    if (isAppError(error)) return false
    throw error
  }
}

/** Of the demonstration versions of a condition the one tagged `default`, else the first; undefined without one. */
export async function findDefaultVersion(db: Db, condition: string): Promise<Version | undefined> {
  const candidates = (await demonstrationVersions(db)).filter(
    (version) => version.condition === condition,
  )
  const tagged = candidates.find((version) => version.tags.includes(DEFAULT_TAG))
  return tagged ?? candidates.sort((a, b) => compare(a, b))[0]
}

function compare(a: Version, b: Version): number {
  return formatVersion(a) < formatVersion(b) ? -1 : 1
}
