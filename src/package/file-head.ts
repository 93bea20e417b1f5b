// The first bytes of a file, by which it is told what kind it is.
import { open } from 'node:fs/promises'

/** Fewer than `most` where the file is shorter. @throws the system's error when it cannot be read */
export async function headOf(path: string, most = 512): Promise<Buffer> {
  const handle = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(most), 0, most, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
