// How much memory a process holds now, as the system counts it: /proc on Linux, ps elsewhere; undefined on Windows, where
// only what the process itself says is known.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const KIB = 1024
const PS_MS = 2000

/** How often it is worth asking: a file of the kernel costs nothing, a program does. */
export const LOOK_EVERY_MS = process.platform === 'linux' ? 100 : 1000

/** Undefined also when the process has just ended. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const kib = process.platform === 'linux' ? await ofProc(pid) : await ofPs(pid)
  return Number.isFinite(kib) ? kib * KIB : undefined
}

async function ofProc(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
}

async function ofPs(pid: number): Promise<number> {
  if (process.platform === 'win32') return Number.NaN
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: PS_MS }).catch(
    () => ({ stdout: 'none' }),
  )
  return Number(stdout.trim())
}

export function tookTooMuch(bytes: number, limitBytes: number): string {
  const mib = (value: number): number => Math.round(value / 2 ** 20)
  return `took ${mib(bytes)} MiB of memory and may take ${mib(limitBytes)}`
}
