// Published weights by their name: loaded from where they are published, or from a mirror, checked, and kept for training.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isLoopback } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { makeFolders } from '../../package/make-folders.ts'
import { checkSums } from './check-sums.ts'
import { download } from './download.ts'
import { importWeights, publishedName } from './import-weights.ts'
import { fetchable, isKnown, matches, type PublishedFile } from './published-files.ts'
import { findWeights, type StoredWeights, weightsFolder } from './weights-store.ts'

const MEGABYTE = 1_000_000

export interface FetchOptions {
  readonly dataDir: string
  /** As `fetchable` calls them. */
  readonly key: string
  /** A folder with files of the same names, instead of where they are published. */
  readonly mirror?: string | undefined
  /** What is published; all that is known here by default. */
  readonly files?: readonly PublishedFile[]
  /** Also when they are here already. */
  readonly replace?: boolean | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly at: Date
}

/** What is here already is not fetched again. @throws AppError `invalid`, `unavailable`, `invalid-package`, `disk-full` */
export async function fetchWeights(wishes: FetchOptions): Promise<StoredWeights> {
  const { dataDir, onProgress, signal, at } = wishes
  const file = findFetchable(wishes.key, fetchable(wishes.files))
  const name = publishedName(file)
  const before = await findWeights(dataDir, name)
  if (before && !wishes.replace) return before
  const url = addressOf(file, wishes.mirror)
  makeFolders(weightsFolder(dataDir))
  // Under one name, so that the next attempt finds what this one leaves.
  const path = join(weightsFolder(dataDir), `.fetch-${file.fileName}`)
  // What cannot be checked is not put together from two attempts.
  if (!isKnown(file)) await rm(path, { force: true })
  await download({ url, path, maxBytes: file.maxMegabytes * MEGABYTE, onProgress, signal })
  if (!matches(file, await checkSums(path))) {
    await rm(path, { force: true })
    throw new AppError(
      'invalid-package',
      `What ${url.hostname} sent as ${file.fileName} is not the published file: its check sum is another. It was thrown away; try again.`,
    )
  }
  const { architecture, fileName } = file
  const weights = await importWeights({
    ...{ dataDir, path, architecture, name, at, replace: true },
    ...{ url: url.href, fileName },
  })
  await rm(path, { force: true })
  return weights
}

/** Spelling is forgiven. @throws AppError `invalid` with the names that there are */
function findFetchable(key: string, files: ReturnType<typeof fetchable>): PublishedFile {
  const fold = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '')
  const found = files.find((one) => fold(one.key) === fold(key))
  if (found) return found
  const keys = files.map((one) => one.key)
  throw new AppError(
    'invalid',
    `No weights are published as "${key.slice(0, 64)}"; there are: ${keys.join(', ')}.`,
  )
}

/** @throws AppError `setting` */
function addressOf(file: PublishedFile, mirror: string | undefined): URL {
  if (mirror === undefined) return new URL(file.fileName, file.from)
  const base = URL.parse(mirror.endsWith('/') ? mirror : `${mirror}/`)
  const isSafe = base?.protocol === 'https:' || (base && isLoopback(base.hostname))
  if (base && (isSafe || (base.protocol === 'http:' && isKnown(file)))) {
    return new URL(file.fileName, base)
  }
  throw new AppError(
    'setting',
    base?.protocol === 'http:'
      ? `ROENTGEN_WEIGHTS_URL is no https address, and nobody publishes a check sum of ${file.fileName}; use https.`
      : 'ROENTGEN_WEIGHTS_URL must be an https address.',
  )
}
