// How long the conversion of a model may take. Damaged HDF5 files make their library loop without end, so that a small file
// must not be given the time of a large one.
import { stat } from 'node:fs/promises'

const MIN_MS = 60_000
const MS_PER_MIB = 2000
const MAX_MS = 5 * 60_000

/** Of a folder the most: what is in it is not looked at. */
export async function timeFor(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined)
  if (!info) return MIN_MS
  if (info.isDirectory()) return MAX_MS
  return Math.min(MAX_MS, MIN_MS + (info.size / 2 ** 20) * MS_PER_MIB)
}
