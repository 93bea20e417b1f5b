// A folder like /sys with temperature sensors, whose values a test sets.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface SensorTree {
  readonly root: string
  /** Of the processor's thermal zone. */
  heat(celsius: number): Promise<void>
}

/** A processor's thermal zone, a hardware monitor of the same, a disk, and a zone that is broken. */
export async function makeSensorTree(root: string, celsius: number): Promise<SensorTree> {
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), `${text}\n`)
  }
  const heat = (value: number): Promise<void> =>
    put('class/thermal/thermal_zone0/temp', String(value * 1000))
  await put('class/thermal/thermal_zone0/type', 'x86_pkg_temp')
  await heat(celsius)
  await put('class/thermal/thermal_zone1/type', 'acpitz')
  await put('class/thermal/thermal_zone1/temp', '-274000')
  await put('class/hwmon/hwmon0/name', 'coretemp')
  await put('class/hwmon/hwmon0/temp1_label', 'Package id 0')
  await put('class/hwmon/hwmon0/temp1_input', '41000')
  await put('class/hwmon/hwmon1/name', 'nvme')
  await put('class/hwmon/hwmon1/temp1_input', '99000')
  return { root, heat }
}
