// Every library that is installed, with its version, as npm wrote it down.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Absent, absent, valueOrReason } from '../known.ts'

const PACKAGE = fileURLToPath(new URL('../../../../package.json', import.meta.url))
const INSTALLED = fileURLToPath(
  new URL('../../../../node_modules/.package-lock.json', import.meta.url),
)

const LockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional() })),
})

export const PackagesSchema = valueOrReason(z.record(z.string(), z.string()))

/** By name; of a library that is there in two versions, the one that the product itself uses. */
export async function installedPackages(): Promise<Record<string, string> | Absent> {
  try {
    const { packages } = LockSchema.parse(JSON.parse(await readFile(INSTALLED, 'utf8')))
    const own = Object.entries(packages).flatMap(([path, { version }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      const isOuter = path === `node_modules/${name}`
      return version && isOuter ? [[name, version] as const] : []
    })
    return Object.fromEntries(own)
  } catch {
    return absent('npm left no list of what it installed.')
  }
}

export async function productVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { version: string }
  return version
}
