// The working folder of processes that must find nothing there: one empty folder for each user of the machine, kept.
import { lstatSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let found: string | undefined

/** Whoever could have made it before us, it is taken only when it is ours, empty, and nobody else may write to it. */
export function emptyFolder(): string {
  if (found !== undefined && isUsable(found)) return found
  const kept = join(tmpdir(), `roentgen-empty-${process.getuid?.() ?? 'user'}`)
  try {
    mkdirSync(kept, { mode: 0o500 })
  } catch {
    // It is there, or cannot be made: what follows tells.
  }
  found = isUsable(kept) ? kept : mkdtempSync(join(tmpdir(), 'roentgen-empty-'))
  return found
}

function isUsable(path: string): boolean {
  try {
    const info = lstatSync(path)
    const isOurs = process.getuid === undefined || info.uid === process.getuid()
    const isPrivate = process.platform === 'win32' || (info.mode & 0o022) === 0
    return info.isDirectory() && isOurs && isPrivate && readdirSync(path).length === 0
  } catch {
    return false
  }
}
