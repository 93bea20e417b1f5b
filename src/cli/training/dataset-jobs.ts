// Scanning and preparing a dataset through the API, waiting for the end with a progress bar.
import { relative, resolve, sep } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import type { Config } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { Dataset } from '../../registry/runs/datasets.ts'
import type { Api } from '../api.ts'
import { startProgress } from '../progress.ts'

const LOOK_AGAIN_MS = 300

type GivenDataset = Dataset & { readonly progress: { done: number; total: number } | null }

/** A folder as it was typed, as a path below the data root; undefined when it lies elsewhere. */
export function belowDataRoot({ datasetsDir }: Config, given: string): string | undefined {
  const path = relative(datasetsDir, resolve(given)).split(sep).join('/')
  if (path === '') return '.'
  return path === '..' || path.startsWith('../') || resolve(path) === path ? undefined : path
}

export interface JobOptions {
  readonly quiet: boolean
}

export function scan(api: Api, path: string, options: JobOptions): Promise<Dataset> {
  return watched(api, { start: '/api/v1/datasets/scan', body: { path }, title: 'scanned' }, options)
}

export interface PrepareBody {
  readonly condition?: string | undefined
  readonly seed?: number | undefined
  readonly maxPerClass?: number | undefined
  readonly imageSize?: number | undefined
  readonly exclude?: readonly string[] | undefined
  readonly positive?: string | undefined
  readonly uncertain?: string | undefined
}

export function prepare(
  api: Api,
  { id, ...body }: PrepareBody & { readonly id: string },
  options: JobOptions,
): Promise<Dataset> {
  const start = `/api/v1/datasets/${encodeURIComponent(id)}/prepare`
  return watched(api, { start, body, title: 'prepared' }, options)
}

/** Looks for labels that are wrong, by the features of a version; the newest trained on it by default. */
export function checkLabels(
  api: Api,
  { id, version }: { readonly id: string; readonly version?: string | undefined },
  options: JobOptions,
): Promise<Dataset> {
  const start = `/api/v1/datasets/${encodeURIComponent(id)}/label-check`
  return watched(api, { start, body: { version }, title: 'checked' }, options)
}

/** Leaves files out and prepares it again. */
export function exclude(
  api: Api,
  { id, files }: { readonly id: string; readonly files: readonly string[] },
  options: JobOptions,
): Promise<Dataset> {
  const start = `/api/v1/datasets/${encodeURIComponent(id)}/exclude`
  return watched(api, { start, body: { files }, title: 'prepared' }, options)
}

/** The answer may be that it goes on; then it is asked for until it has ended. */
async function watched(
  api: Api,
  job: { readonly start: string; readonly body: object; readonly title: string },
  { quiet }: JobOptions,
): Promise<Dataset> {
  const progress = startProgress(job.title, { quiet })
  try {
    let dataset = await api.json<GivenDataset>(job.start, { body: job.body })
    while (dataset.state === 'scanning' || dataset.state === 'preparing' || dataset.progress) {
      if (dataset.progress) progress.update(dataset.progress.done, dataset.progress.total)
      await after(LOOK_AGAIN_MS)
      dataset = await api.json<GivenDataset>(`/api/v1/datasets/${encodeURIComponent(dataset.id)}`)
    }
    if (dataset.reason !== null) throw new AppError('invalid', dataset.reason)
    return dataset
  } finally {
    progress.end()
  }
}
