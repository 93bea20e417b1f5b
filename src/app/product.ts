// What this program is: its version and where its own files lie.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const ROOT = new URL('../../', import.meta.url)

const packageJson: unknown = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))

export const PRODUCT_VERSION: string = z.object({ version: z.string() }).parse(packageJson).version

/** Scripts and styles that pages ask for. */
export const PUBLIC_DIR = fileURLToPath(new URL('public/', ROOT))

/** The model store that comes with the product: the demonstration packages. */
export const DEMONSTRATION_DIR = fileURLToPath(new URL('models', ROOT))
