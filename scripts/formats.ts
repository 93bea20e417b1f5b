// Writes docs/formats: a JSON Schema for each JSON file of a package, from the zod schemas that write and read them.
// node scripts/formats.ts
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FORMATS, jsonSchemaText, schemaFileOf } from '../src/training/record/formats.ts'

const DIR = fileURLToPath(new URL('../docs/formats/', import.meta.url))

await mkdir(DIR, { recursive: true })
const wanted = new Set(FORMATS.map(schemaFileOf))
for (const name of await readdir(DIR)) {
  if (name.endsWith('.schema.json') && !wanted.has(name)) await rm(join(DIR, name))
}
for (const format of FORMATS) {
  await writeFile(join(DIR, schemaFileOf(format)), jsonSchemaText(format))
}
