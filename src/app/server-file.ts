// data/server.json: where the running server listens and the token that lets the command line act through it.
// It may be stale after a crash; whoever reads it asks the address before trusting it.
import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const ServerFileSchema = z.object({
  address: z.url(),
  token: z.string().regex(/^[0-9a-f]{64}$/),
  pid: z.int().positive(),
  startedAt: z.string(),
  version: z.string(),
})
export type ServerFile = Readonly<z.infer<typeof ServerFileSchema>>

const FILE = 'server.json'

/** A fresh secret for one run of the server: 256 bits, hex. */
export function newToken(): string {
  return randomBytes(32).toString('hex')
}

/** What the last server wrote, or undefined when there is none or it cannot be read. */
export async function findServer(dataDir: string): Promise<ServerFile | undefined> {
  try {
    const parsed = ServerFileSchema.safeParse(
      JSON.parse(await readFile(join(dataDir, FILE), 'utf8')),
    )
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Readable by its owner only, never half written. */
export async function writeServerFile(dataDir: string, server: ServerFile): Promise<void> {
  const path = join(dataDir, FILE)
  const temporary = `${path}.${process.pid}.tmp`
  await rm(temporary, { force: true })
  await writeFile(temporary, `${JSON.stringify(server, null, 2)}\n`, { mode: 0o600 })
  await rename(temporary, path)
}

/** Removes the file if it is still ours. */
export async function removeServerFile(dataDir: string, token: string): Promise<void> {
  const server = await findServer(dataDir)
  if (server?.token === token) await rm(join(dataDir, FILE), { force: true })
}
