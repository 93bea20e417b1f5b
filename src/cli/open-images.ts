// Images that a person named: files, folders of them, zips of them; in that order.
import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { BatchItem, BatchSource } from '../app/batches/batch-item.ts'
import { openFolder } from '../app/batches/folder-images.ts'
import { looksLikeZip, openZip } from '../app/batches/zip-images.ts'
import { readConfig } from '../config.ts'
import { AppError } from '../errors.ts'

/** @throws AppError `invalid` when one is not there, or a folder or zip holds nothing */
export async function openImages(paths: readonly string[]): Promise<BatchSource> {
  const limits = { maxBytes: readConfig().maxUploadBytes }
  const items: BatchItem[] = []
  const sources: BatchSource[] = []
  const close = async () => {
    for (const source of sources.splice(0)) await source.close()
  }
  try {
    for (const path of paths) {
      const info = await stat(path).catch(() => undefined)
      if (info?.isDirectory()) sources.push(await openFolder(path, limits))
      else if (info && (await looksLikeZip(path).catch(() => false))) {
        sources.push(await openZip(path, limits))
      } else {
        items.push({ name: path, read: () => readNamed(path) })
        continue
      }
      items.push(...(sources.at(-1)?.items ?? []))
    }
    return { items, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function readNamed(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const message = `The file "${basename(path)}" does not exist or is not readable.`
    throw new AppError('invalid', message, { cause })
  }
}
