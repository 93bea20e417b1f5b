// Images that wait to be read: whole files, readable by this user only, and gone as soon as they are read or given up.
// The only place where patients' attributes lie on this machine's disk, and only for that long.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bringBack, setAside } from '../../../registry/home/lost.ts'

export interface Spool {
  put(key: string, bytes: Uint8Array): Promise<void>
  /** Undefined when it is not there. */
  find(key: string): Promise<Buffer | undefined>
  remove(key: string): Promise<void>
  /** Sets aside in data/lost what belongs to none of these, and removes what was never whole. */
  keepOnly(keys: ReadonlySet<string>): Promise<void>
}

/** An image is known by this and never by its UID. */
export function keyOf(sopInstanceUid: string): string {
  return createHash('sha256').update(sopInstanceUid).digest('hex')
}

export function openSpool(dataDir: string): Spool {
  const folder = join(dataDir, 'archive', 'waiting')
  const pathOf = (key: string) => join(folder, `${key}.dcm`)
  return {
    async put(key, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const temporary = join(folder, `.${randomUUID()}`)
      await writeFile(temporary, bytes, { mode: 0o600, flush: true })
      await rename(temporary, pathOf(key))
    },
    find: (key) => readFile(pathOf(key)).catch(() => undefined),
    remove: (key) => rm(pathOf(key), { force: true }),
    async keepOnly(keys) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const names = new Set([...keys].map((key) => `${key}.dcm`))
      await bringBack({ dataDir }, { kind: 'archive', names, to: folder })
      for (const name of await readdir(folder).catch(() => [])) {
        if (keys.has(name.replace(/\.dcm$/, ''))) continue
        if (!name.endsWith('.dcm')) await rm(join(folder, name), { force: true })
        else await setAside({ dataDir }, { kind: 'archive', from: folder, name })
      }
    },
  }
}
