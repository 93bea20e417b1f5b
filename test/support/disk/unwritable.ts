// A file that cannot be replaced: its folder may not be written, or for root, whom permissions do not hold, `chattr +i`.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

export const cannotLock =
  process.platform === 'win32' || (process.getuid?.() === 0 && !canMakeImmutable())
    ? 'a file cannot be made immutable here'
    : false

function canMakeImmutable(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'roentgen-immutable-'))
  const path = join(folder, 'file')
  try {
    writeFileSync(path, '')
    execFileSync('chattr', ['+i', path], { stdio: 'ignore' })
    execFileSync('chattr', ['-i', path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns what makes it writable again, which the end of the test does too. */
export function lockFile(t: TestContext, path: string): () => void {
  const isRoot = process.getuid?.() === 0
  const set = (locked: boolean): void => {
    if (isRoot) execFileSync('chattr', [locked ? '+i' : '-i', path])
    else chmodSync(dirname(path), locked ? 0o555 : 0o755)
  }
  set(true)
  let isLocked = true
  const unlock = (): void => {
    if (isLocked) set(false)
    isLocked = false
  }
  t.after(unlock)
  return unlock
}
