// Temperatures as Linux shows them (thermal zones and hardware monitors under /sys), and those of NVIDIA's cards. Other
// systems show none without special rights, and many virtual machines have none: then there is nothing to read, and it is said.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Gpu, GpuWatch } from './nvidia-smi.ts'

export type SensorKind = 'cpu' | 'gpu' | 'other'

export interface Sensor {
  readonly name: string
  readonly kind: SensorKind
  readonly source: 'thermal zone' | 'hardware monitor' | 'nvidia-smi'
}

export interface Reading {
  /** Hottest of its kind; null where no such sensor answers. */
  readonly cpu: number | null
  readonly gpu: number | null
  readonly gpus: readonly Gpu[]
}

export interface Sensors {
  readonly list: readonly Sensor[]
  read(): Promise<Reading>
}

interface SensorFile extends Sensor {
  readonly path: string
}

const CPU = /cpu|x86_pkg_temp|coretemp|k10temp|zenpower|package|core \d|tctl|tdie|soc[-_]?thermal/i
const GPU = /gpu|nouveau|radeon|i915/i
/** A broken sensor says -273 or 65,535; what lies outside is not believed. */
const [LEAST, MOST] = [1, 125]

/** What can be read now. A board that shows only general zones (acpitz) is judged by those. */
export async function openSensors(o: {
  /** As /sys. */
  readonly root: string
  readonly gpus?: GpuWatch | undefined
}): Promise<Sensors> {
  const found = [...(await thermalZones(o.root)), ...(await hardwareMonitors(o.root))]
  const answering: SensorFile[] = []
  for (const one of found) if ((await celsiusOf(one.path)) !== null) answering.push(one)
  const files = answering.some(({ kind }) => kind === 'cpu')
    ? answering
    : answering.map((one) => (/acpitz/i.test(one.name) ? { ...one, kind: 'cpu' as const } : one))
  const cards = (await o.gpus?.read()) ?? []
  return {
    list: [
      ...files.map(({ name, kind, source }) => ({ name, kind, source })),
      ...cards
        .filter(({ celsius }) => celsius !== null)
        .map(({ name }) => ({ name, kind: 'gpu', source: 'nvidia-smi' }) as const),
    ],
    read: async () => {
      const gpus = (await o.gpus?.read()) ?? []
      const values = await Promise.all(
        files.map(async ({ kind, path }) => ({ kind, celsius: await celsiusOf(path) })),
      )
      const hottest = (kind: SensorKind, more: readonly (number | null)[]): number | null => {
        const own = values.filter((one) => one.kind === kind).map(({ celsius }) => celsius)
        const known = [...own, ...more].filter((value) => value !== null)
        return known.length === 0 ? null : Math.max(...known)
      }
      const ofCards = gpus.map(({ celsius }) => celsius)
      return { cpu: hottest('cpu', []), gpu: hottest('gpu', ofCards), gpus }
    },
  }
}

async function thermalZones(root: string): Promise<SensorFile[]> {
  const dir = join(root, 'class/thermal')
  const zones = (await namesIn(dir)).filter((name) => name.startsWith('thermal_zone'))
  return Promise.all(
    zones.map(async (zone) => {
      const name = await textOf(join(dir, zone, 'type'), zone)
      const path = join(dir, zone, 'temp')
      return { name, kind: kindOf(name), source: 'thermal zone', path } as const
    }),
  )
}

async function hardwareMonitors(root: string): Promise<SensorFile[]> {
  const dir = join(root, 'class/hwmon')
  const sensors: SensorFile[] = []
  for (const monitor of await namesIn(dir)) {
    const chip = await textOf(join(dir, monitor, 'name'), monitor)
    const inputs = (await namesIn(join(dir, monitor))).filter((file) =>
      /^temp\d+_input$/.test(file),
    )
    for (const input of inputs) {
      const label = await textOf(join(dir, monitor, input.replace('_input', '_label')), '')
      const name = `${chip} ${label || input.replace('_input', '')}`
      const path = join(dir, monitor, input)
      sensors.push({ name, kind: kindOf(name), source: 'hardware monitor', path })
    }
  }
  return sensors
}

function kindOf(name: string): SensorKind {
  if (GPU.test(name)) return 'gpu'
  return CPU.test(name) ? 'cpu' : 'other'
}

/** Files of sensors hold thousandths of a degree. */
async function celsiusOf(path: string): Promise<number | null> {
  const text = await textOf(path, '')
  const celsius = Number(text) / 1000
  return text !== '' && celsius >= LEAST && celsius <= MOST ? celsius : null
}

async function namesIn(dir: string): Promise<string[]> {
  return (await readdir(dir).catch(() => [])).sort()
}

async function textOf(path: string, fallback: string): Promise<string> {
  return readFile(path, 'utf8').then(
    (text) => text.trim() || fallback,
    () => fallback,
  )
}
