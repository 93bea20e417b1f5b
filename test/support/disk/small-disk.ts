// A disk that is small enough to fill: a file system in memory, where this user may mount one.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

function mount(dir: string, mib: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', dir], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Undefined where none can be mounted. Unmounted after the test. */
export function smallDisk(t: TestContext, mib: number): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'roentgen-disk-'))
  const isMounted = process.platform === 'linux' && mount(dir, mib)
  t.after(() => {
    if (isMounted) execFileSync('umount', ['-l', dir])
    rmSync(dir, { recursive: true, force: true })
  })
  return isMounted ? dir : undefined
}

/** Writes until nothing more fits. Returns what makes room again. */
export function fillDisk(dir: string): () => void {
  const path = join(dir, 'filler')
  for (let bytes = 1 << 20; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    for (;;) {
      try {
        writeFileSync(path, Buffer.alloc(bytes), { flag: 'a' })
      } catch {
        break
      }
    }
  }
  return () => rmSync(path, { force: true })
}
