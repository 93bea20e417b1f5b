// The HDF5 library and its virtual file system: files are opened from bytes, so that links to other files lead nowhere,
// and removed from it afterwards. For child processes and workers only: every call blocks its thread.
import type { File, FileOptions } from 'h5wasm'

export type Library = typeof import('h5wasm')

interface VirtualFiles {
  writeFile(path: string, bytes: Uint8Array): void
  readFile(path: string): Uint8Array
  unlink(path: string): void
}

/** What the library has and its types leave out. */
interface Unlisted {
  readonly FS: VirtualFiles
  activate_throwing_error_handler(): void
}

export interface VirtualFile {
  readonly library: Library
  readonly file: File
  /** Closes the file and gives its bytes, once it has been written. */
  bytes(): Uint8Array
}

let opened = 0

/** Opens `bytes` for reading, or a new file for writing, as long as `use` takes. */
export async function withVirtualFile<T>(
  bytes: Uint8Array | undefined,
  use: (file: VirtualFile) => T | Promise<T>,
): Promise<T> {
  const library = await import('h5wasm')
  const module = await library.ready
  const { FS, activate_throwing_error_handler } = module as unknown as Unlisted
  // Messages become exceptions instead of lines on stderr.
  activate_throwing_error_handler()
  const path = `/roentgen-${opened++}.h5`
  let file: File | undefined
  const close = (): void => {
    if (file && file.file_id >= 0n) module.close_file(file.file_id)
    file = undefined
  }
  try {
    if (bytes) FS.writeFile(path, bytes)
    const options: FileOptions = {}
    file = new library.File(path, bytes ? 'r' : 'w', options)
    return await use({
      library,
      file,
      bytes: () => {
        close()
        return FS.readFile(path)
      },
    })
  } finally {
    try {
      close()
    } finally {
      FS.unlink(path)
    }
  }
}
