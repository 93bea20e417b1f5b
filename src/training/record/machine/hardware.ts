// What the machine is made of, by what the system tells without special rights. No name of the machine, of a person, serial
// number, address or path: a package travels.
import { statfs } from 'node:fs/promises'
import os from 'node:os'
import { setTimeout as after } from 'node:timers/promises'
import type systeminformation from 'systeminformation'
import { z } from 'zod'
import type { Gpu } from '../../thermal/nvidia-smi.ts'
import { absent, knownOr, SizeSchema, sizeOf, valueOrReason } from '../known.ts'

const PATIENCE_MS = 15_000

export const SystemSchema = z.strictObject({
  platform: z.string(),
  operatingSystem: z.string(),
  version: z.string(),
  kernel: z.string(),
  architecture: z.string(),
  endianness: z.string(),
  processor: z.strictObject({
    manufacturer: z.string(),
    name: z.string(),
    physicalCores: z.int(),
    logicalCores: z.int(),
    gigahertz: valueOrReason(z.number()),
    instructionSets: valueOrReason(z.array(z.string())),
  }),
  memory: z.strictObject({ total: SizeSchema, free: SizeSchema }),
  disk: z.strictObject({ total: SizeSchema, free: SizeSchema, usedShare: z.number() }),
  gpus: valueOrReason(
    z.array(
      z.strictObject({
        name: z.string(),
        manufacturer: z.string(),
        memory: valueOrReason(SizeSchema),
        driver: valueOrReason(z.string()),
      }),
    ),
  ),
  virtual: valueOrReason(z.boolean()),
})
export type System = z.infer<typeof SystemSchema>

const NOT_TOLD = 'The system does not tell.'
/** Of the hundred that a processor lists, those that make arithmetic fast. */
const ARITHMETIC =
  /^(sse4_2|avx2?|avx_vnni|avx512\w*|amx_\w+|fma|f16c|neon|asimd\w*|sve2?|bf16|i8mm)$/

export async function describeSystem(o: {
  readonly workDir: string
  readonly gpus: readonly Gpu[]
}): Promise<System> {
  const si = (await import('systeminformation')).default
  const [cpu, osInfo, graphics] = await Promise.all([
    withPatience(si.cpu()),
    withPatience(si.osInfo()),
    withPatience(si.graphics()),
  ])
  const { bavail, blocks, bsize } = await statfs(o.workDir)
  const cpus = os.cpus()
  const sets = (cpu?.flags ?? '').split(' ').filter((flag) => ARITHMETIC.test(flag))
  const speed = cpu?.speed || (cpus[0]?.speed ?? 0) / 1000
  return {
    platform: os.platform(),
    operatingSystem: osInfo?.distro || os.type(),
    version: [osInfo?.release, osInfo?.codename].filter(Boolean).join(' ') || os.version(),
    kernel: os.release(),
    architecture: os.arch(),
    endianness: os.endianness(),
    processor: {
      manufacturer: cpu?.manufacturer || 'unknown',
      name: cpus[0]?.model.trim() || cpu?.brand || 'unknown',
      physicalCores: cpu?.physicalCores || cpus.length,
      logicalCores: cpus.length,
      gigahertz: speed > 0 ? speed : absent(NOT_TOLD),
      instructionSets: sets.length > 0 ? sets : absent(NOT_TOLD),
    },
    memory: { total: sizeOf(os.totalmem()), free: sizeOf(os.freemem()) },
    disk: {
      total: sizeOf(blocks * bsize),
      free: sizeOf(bavail * bsize),
      usedShare: 1 - bavail / blocks,
    },
    gpus: gpusOf(o.gpus, graphics),
    virtual: knownOr(cpu && (cpu.virtualization || /hypervisor/.test(cpu.flags)), NOT_TOLD),
  }
}

function gpusOf(
  cards: readonly Gpu[],
  graphics: systeminformation.Systeminformation.GraphicsData | undefined,
): System['gpus'] {
  if (cards.length > 0) {
    return cards.map(({ name, driver, memoryTotalBytes }) => ({
      name,
      manufacturer: 'NVIDIA',
      memory: memoryTotalBytes === null ? absent(NOT_TOLD) : sizeOf(memoryTotalBytes),
      driver: driver || absent(NOT_TOLD),
    }))
  }
  const found = graphics?.controllers ?? []
  if (found.length === 0) return absent('The system shows no graphics card.')
  return found.map(({ model, vendor, vram, driverVersion }) => ({
    name: model || 'unknown',
    manufacturer: vendor || 'unknown',
    memory: vram ? sizeOf(vram * 2 ** 20) : absent(NOT_TOLD),
    driver: driverVersion || absent(NOT_TOLD),
  }))
}

/** The tools that it asks may hang on an odd machine; then the figure is left out. */
async function withPatience<T>(asked: Promise<T>): Promise<T | undefined> {
  const late = new AbortController()
  const timer = after(PATIENCE_MS, undefined, { signal: late.signal }).catch(() => undefined)
  const answer = await Promise.race([asked.catch(() => undefined), timer])
  late.abort()
  return answer ?? undefined
}
