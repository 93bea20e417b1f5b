// models/<condition>/active.json: which version answers, for people and other programs to read and to edit.
// SQLite is the truth; this file follows it, and an edit of it is a request.
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../package/durable-files.ts'
import { pointerPath, type Store } from '../home/store.ts'

const MAX_POINTER_BYTES = 64 * 1024

/** A person who edits the file need only write the version. */
const PointerSchema = z.object({
  version: z.string().min(1).max(200),
  sha256: z.string().max(200).optional(),
  activation: z.string().max(200).optional(),
})

export interface Pointer {
  readonly version: string
  readonly sha256: string
  readonly activation: string
  /** ISO 8601: since when it answers. */
  readonly since: string
}

export type PointerFile =
  | { readonly state: 'absent' }
  /** No JSON, or not such a JSON. */
  | { readonly state: 'unreadable'; readonly text: string }
  /** The system does not let it be read. */
  | { readonly state: 'unknown' }
  | {
      readonly state: 'read'
      readonly version: string
      readonly sha256: string | undefined
      readonly activation: string | undefined
      readonly text: string
      /** When it was last written, renamed or had its permissions changed. */
      readonly changedAt: Date
    }

export async function readPointer(store: Store, condition: string): Promise<PointerFile> {
  let text: string
  let changedAt: Date
  try {
    const handle = await open(pointerPath(store, condition), 'r')
    try {
      const { size, ctime } = await handle.stat()
      changedAt = ctime
      if (size > MAX_POINTER_BYTES) return { state: 'unreadable', text: '' }
      text = await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return { state: code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unknown' }
  }
  const parsed = PointerSchema.safeParse(parseJson(text))
  if (!parsed.success) return { state: 'unreadable', text }
  const { version, sha256, activation } = parsed.data
  return { state: 'read', version, sha256, activation, text, changedAt }
}

/** Replaces the file by atomic rename, flushed to the disk. */
export async function writePointer(
  store: Store,
  { condition, pointer }: { condition: string; pointer: Pointer },
): Promise<void> {
  const path = pointerPath(store, condition)
  await mkdir(dirname(path), { recursive: true })
  await writeFileDurably(path, `${JSON.stringify({ schema: 1, ...pointer }, null, 2)}\n`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}
