// An answer that is a file, written to the disk.
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError, diskFull, isDiskFull } from '../errors.ts'

/** @throws AppError `conflict` when the file is there and `force` was not given */
export async function refuseExisting(file: string, { force }: { force?: true | undefined }) {
  if (force || !(await stat(file).catch(() => undefined))) return
  throw new AppError(
    'conflict',
    `"${basename(file)}" already exists; add --force or use another name.`,
  )
}

/** Under another name first, so that an interrupted download leaves no half file. Returns its size. */
export async function saveResponse(
  response: Response,
  file: string,
  { through }: { readonly through?: Transform | undefined } = {},
): Promise<number> {
  const partial = join(dirname(file), `.${basename(file)}.${process.pid}.part`)
  try {
    if (!response.body) throw new Error('no body')
    const to = createWriteStream(partial, { flags: 'wx', mode: 0o600 })
    if (through) await pipeline(response.body, through, to)
    else await pipeline(response.body, to)
    await rename(partial, file)
    return (await stat(file)).size
  } catch (cause) {
    await rm(partial, { force: true })
    if (isDiskFull(cause)) throw diskFull(cause)
    const message =
      'The file could not be written completely; check the folder, its permissions and the free space, and try again.'
    throw new AppError('unavailable', message, { cause })
  }
}
