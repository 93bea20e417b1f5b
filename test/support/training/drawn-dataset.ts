// A folder of tiny drawn images that a small network learns in seconds: positive ones have a bright spot somewhere.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uniformAt } from '../../../src/engine/random/counter-random.ts'
import { keptPng } from '../../../src/imaging/rendition.ts'

const SIDE = 32

/** Writes `perClass` images of NORMAL and SICK below `dir` and returns it. */
export async function drawDataset(dir: string, perClass: number): Promise<string> {
  for (const [k, label] of ['NORMAL', 'SICK'].entries()) {
    await mkdir(join(dir, label), { recursive: true })
    for (let i = 0; i < perClass; i++) {
      await writeFile(join(dir, label, `${i}.png`), await drawImage(k === 1, 2 * i + k))
    }
  }
  return dir
}

function drawImage(sick: boolean, number: number): Promise<Uint8Array> {
  const data = new Uint8Array(SIDE * SIDE)
  const centreX = 8 + 16 * uniformAt(1, number)
  const centreY = 8 + 16 * uniformAt(2, number)
  for (let i = 0; i < data.length; i++) {
    const distance = Math.hypot((i % SIDE) - centreX, Math.floor(i / SIDE) - centreY)
    const spot = sick ? 130 * Math.exp(-(distance ** 2) / 18) : 0
    data[i] = 40 + spot + 50 * uniformAt(3, number, i)
  }
  return keptPng({ width: SIDE, height: SIDE, channels: 1, data, maxValue: 255 })
}
