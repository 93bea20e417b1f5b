// Makes a folder and those above it. In place of `recursive: true`, which turns for ever in file systems that call a
// folder "not found" where none may be made, such as /proc.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** A folder that is there stays as it is. @throws the error of the system, such as EACCES, EROFS or EEXIST (a file) */
export function makeFolders(path: string): void {
  if (isFolder(path)) return
  const above = dirname(path)
  if (above !== path) makeFolders(above)
  try {
    mkdirSync(path)
  } catch (error) {
    if (!isFolder(path)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
