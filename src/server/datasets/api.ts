// /api/v1/datasets: folders of labelled images, scanned and prepared.

import { setTimeout as after } from 'node:timers/promises'
import { Hono } from 'hono'
import type { DatasetService } from '../../app/datasets/dataset-service.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { type Dataset, getDataset, listDatasets } from '../../registry/runs/datasets.ts'
import type { AppEnv } from '../http/app-env.ts'
import { json, operation, type Reply } from '../operations/operation.ts'
import { IdParams } from '../operations/shared-schemas.ts'
import {
  DatasetListSchema,
  DatasetSchema,
  ExcludeSchema,
  LabelCheckRequestSchema,
  PrepareSchema,
  ScanSchema,
} from './schema.ts'

/** A scan or preparation that is done by then is answered with its outcome. */
const PATIENCE_MS = 20_000

const tag = 'datasets'

function outcomes(done: string, going: string) {
  return { 200: json(DatasetSchema, done), 202: json(DatasetSchema, going) } as const
}
type Outcomes = ReturnType<typeof outcomes>

export function datasetRoutes(
  services: Uses<'db'> & { readonly datasets: DatasetService },
): Hono<AppEnv> {
  const { db, datasets } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/datasets',
      tag,
      summary: 'Datasets that were scanned, and folders that were not',
      answers: { 200: json(DatasetListSchema, 'In the order of their paths') },
    },
    async ({ reply }) => {
      const known = await listDatasets(db)
      const items = await Promise.all(known.map((one) => datasetJson(services, one)))
      return reply(200, { items, nextCursor: null, folders: await datasets.newFolders() })
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/datasets/scan',
      tag,
      summary: 'Scan a folder below the data root: classes, sizes, broken files, duplicates, leaks',
      description:
        'A scan that takes longer than some seconds is answered with 202; GET the dataset for its progress.',
      json: ScanSchema,
      answers: outcomes('Scanned', 'Being scanned'),
      errors: [
        [404, 'unknown-dataset: no such folder'],
        [409, 'conflict: it is being scanned or prepared'],
        [422, 'invalid: the path leaves the data root, or no labelled image is there'],
      ],
    },
    async ({ c, body: { path }, reply }) => outcome(reply, await datasets.scan(path, c.var.actor)),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/datasets/:id',
      tag,
      summary: 'One dataset',
      params: IdParams,
      answers: { 200: json(DatasetSchema, 'The dataset') },
      errors: [[404, 'unknown-dataset']],
    },
    async ({ params: { id }, reply }) =>
      reply(200, await datasetJson(services, await getDataset(db, id))),
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/datasets/:id/prepare',
      tag,
      summary: 'Check, de-duplicate, split and fix it, and decode every image once',
      params: IdParams,
      json: PrepareSchema,
      isBodyOptional: true,
      answers: outcomes('Prepared', 'Being prepared'),
      errors: [
        [404, 'unknown-dataset, unknown-condition'],
        [409, 'conflict: not scanned, or in use'],
        [422, 'invalid: nothing can be trained on it'],
      ],
    },
    async ({ c, params: { id }, body: { condition, ...options }, reply }) => {
      const wanted = { ...options, condition: condition ?? undefined, actor: c.var.actor }
      return outcome(reply, await datasets.prepare(id, wanted))
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/datasets/:id/label-check',
      tag,
      summary:
        'Find labels that are probably wrong: out-of-fold probabilities on the features of a trained version',
      params: IdParams,
      json: LabelCheckRequestSchema,
      isBodyOptional: true,
      answers: outcomes('Checked', 'Being checked'),
      errors: [
        [404, 'unknown-dataset, unknown-version'],
        [409, 'dataset-not-prepared; conflict: nothing was trained on it yet, or it is in use'],
        [422, 'invalid: too few images of a class, or the version gives no feature map'],
      ],
    },
    async ({ c, params: { id }, body: { version }, reply }) => {
      const wanted = { version: version ?? undefined, actor: c.var.actor }
      return outcome(reply, await datasets.checkLabels(id, wanted))
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/datasets/:id/exclude',
      tag,
      summary: 'Leave files out and prepare it again; its fingerprint changes',
      params: IdParams,
      json: ExcludeSchema,
      answers: outcomes('Prepared again', 'Being prepared'),
      errors: [
        [404, 'unknown-dataset'],
        [409, 'dataset-not-prepared; conflict: in use'],
        [422, 'invalid'],
      ],
    },
    async ({ c, params: { id }, body: { files }, reply }) =>
      outcome(reply, await datasets.exclude(id, { files, actor: c.var.actor })),
  )
  return routes

  async function outcome(
    reply: Reply<Outcomes>,
    { id, done }: { readonly id: string; readonly done: Promise<void> },
  ): Promise<Response> {
    const late = new AbortController()
    const patience = after(PATIENCE_MS, undefined, { signal: late.signal }).catch(() => {})
    await Promise.race([done, patience])
    late.abort()
    const dataset = await getDataset(db, id)
    const isOn = (await datasets.progress(id)) !== undefined
    if (!isOn && dataset.reason !== null) throw new AppError('invalid', dataset.reason)
    return reply(isOn ? 202 : 200, await datasetJson(services, dataset))
  }
}

/** With how far its scan or preparation is. */
export async function datasetJson(
  services: { readonly datasets: DatasetService },
  dataset: Dataset,
) {
  return { ...dataset, progress: (await services.datasets.progress(dataset.id)) ?? null }
}
