// A training process that outlived its server for a moment: it ends by itself, and is waited for before another one goes
// on from the same checkpoint.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'

const FILE = 'process.json'
const LOOK_AGAIN_MS = 100
/** Longer than any batch or validation ought to take. */
const PATIENCE_MS = 60_000

/** Remembers which process works in the folder. */
export async function noteProcess(workDir: string, pid: number | undefined): Promise<void> {
  if (pid !== undefined) await writeFile(join(workDir, FILE), JSON.stringify({ pid }))
}

/** Waits until the process that worked there last has ended; ends it when it does not by itself. */
export async function endOrphan(workDir: string): Promise<void> {
  const pid = await notedProcess(workDir)
  if (pid === undefined) return
  const deadline = performance.now() + PATIENCE_MS
  while (await isTraining(pid)) {
    if (performance.now() > deadline) kill(pid)
    await after(LOOK_AGAIN_MS)
  }
}

async function notedProcess(workDir: string): Promise<number | undefined> {
  try {
    const { pid } = JSON.parse(await readFile(join(workDir, FILE), 'utf8')) as { pid?: unknown }
    return Number.isInteger(pid) && Number(pid) > 1 ? Number(pid) : undefined
  } catch {
    return undefined
  }
}

/** Numbers of processes are used again: where the system tells what a process is, only a training counts. */
async function isTraining(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  if (process.platform !== 'linux') return false
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return words.includes('training/worker.ts')
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}
