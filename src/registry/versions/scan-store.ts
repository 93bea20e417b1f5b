// What lies in a model store: the folders that have a manifest, which is written last and so makes them whole.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isName, type VersionRef } from '../../package/ids.ts'
import { isPlainFile, MANIFEST } from '../../package/package-paths.ts'

const NUMBERED = /^v([1-9]\d{0,8})$/

/** In the order condition, name, number. An absent store is an empty one. */
export async function scanStore(modelsDir: string): Promise<VersionRef[]> {
  const found: VersionRef[] = []
  for (const condition of await folders(modelsDir)) {
    for (const name of await folders(join(modelsDir, condition))) {
      const dir = join(modelsDir, condition, name)
      const numbers = (await folderNames(dir)).flatMap((folder) => numberOf(folder) ?? [])
      for (const n of numbers.sort((a, b) => a - b)) {
        if (await isPlainFile(join(dir, `v${n}`), MANIFEST)) found.push({ condition, name, n })
      }
    }
  }
  return found
}

/** The number of a folder `v3`. */
export function numberOf(folder: string): number | undefined {
  const match = NUMBERED.exec(folder)
  return match ? Number(match[1]) : undefined
}

async function folders(dir: string): Promise<string[]> {
  return (await folderNames(dir)).filter(isName).sort()
}

async function folderNames(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
