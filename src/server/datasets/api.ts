// /api/v1/datasets: folders of labelled images, scanned and prepared.

import { setTimeout as after } from 'node:timers/promises'
import { type Context, Hono } from 'hono'
import type { DatasetService } from '../../app/datasets/dataset-service.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { type Dataset, getDataset, listDatasets } from '../../registry/runs/datasets.ts'
import type { AppEnv } from '../http/app-env.ts'
import { readJson } from '../http/requests.ts'
import {
  ExcludeSchema,
  LabelCheckRequestSchema,
  PrepareSchema,
  ScanSchema,
} from '../runs/schema.ts'

/** A scan or preparation that is done by then is answered with its outcome. */
const PATIENCE_MS = 20_000

export function datasetRoutes(
  services: Uses<'db'> & { readonly datasets: DatasetService },
): Hono<AppEnv> {
  const { db, datasets } = services
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/datasets', async (c) => {
    const known = await listDatasets(db)
    const items = await Promise.all(known.map((one) => datasetJson(services, one)))
    return c.json({ items, nextCursor: null, folders: await datasets.newFolders() })
  })
  routes.post('/api/v1/datasets/scan', async (c) => {
    const { path } = await readJson(c, ScanSchema)
    return outcome(c, await datasets.scan(path, c.var.actor))
  })
  routes.get('/api/v1/datasets/:id', async (c) =>
    c.json(await datasetJson(services, await getDataset(db, c.req.param('id')))),
  )
  routes.post('/api/v1/datasets/:id/prepare', async (c) => {
    const hasBody = Number(c.req.header('content-length') ?? 1) > 0 && c.req.raw.body !== null
    const { condition, ...wishes } = hasBody ? await readJson(c, PrepareSchema) : {}
    const wanted = { ...wishes, condition: condition ?? undefined, actor: c.var.actor }
    return outcome(c, await datasets.prepare(c.req.param('id'), wanted))
  })
  routes.post('/api/v1/datasets/:id/label-check', async (c) => {
    const hasBody = Number(c.req.header('content-length') ?? 1) > 0 && c.req.raw.body !== null
    const { version } = hasBody ? await readJson(c, LabelCheckRequestSchema) : {}
    const wishes = { version: version ?? undefined, actor: c.var.actor }
    return outcome(c, await datasets.checkLabels(c.req.param('id'), wishes))
  })
  routes.post('/api/v1/datasets/:id/exclude', async (c) => {
    const { files } = await readJson(c, ExcludeSchema)
    return outcome(c, await datasets.exclude(c.req.param('id'), { files, actor: c.var.actor }))
  })
  return routes

  async function outcome(
    c: Context<AppEnv>,
    { id, done }: { readonly id: string; readonly done: Promise<void> },
  ): Promise<Response> {
    const late = new AbortController()
    const patience = after(PATIENCE_MS, undefined, { signal: late.signal }).catch(() => {})
    await Promise.race([done, patience])
    late.abort()
    const dataset = await getDataset(db, id)
    const isOn = (await datasets.progress(id)) !== undefined
    if (!isOn && dataset.reason !== null) throw new AppError('invalid', dataset.reason)
    return c.json(await datasetJson(services, dataset), isOn ? 202 : 200)
  }
}

/** With how far its scan or preparation is. */
export async function datasetJson(
  services: { readonly datasets: DatasetService },
  dataset: Dataset,
) {
  return { ...dataset, progress: (await services.datasets.progress(dataset.id)) ?? null }
}
