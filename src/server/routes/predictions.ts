// /api/v1/predictions: what was read before, its heatmap, what readers thought of it.
import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'
import { AppError } from '../../errors.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import { findVersionRef } from '../../package/ids.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import { addFeedback, listFeedback } from '../../registry/feedback.ts'
import {
  deletePrediction,
  getPrediction,
  keptImagePath,
  listPredictions,
  type StoredPrediction,
} from '../../registry/predictions.ts'
import { packageDir } from '../../registry/store.ts'
import { FeedbackBodySchema } from '../api-schemas.ts'
import type { AppEnv } from '../app-env.ts'
import type { Home } from '../home.ts'
import { queryChoice, queryLimit, queryNumber, queryText, readJson } from '../requests.ts'

/** A result never changes, and it is nobody else's. */
const CACHING = 'private, max-age=3600, immutable'

export function predictionRoutes(home: Home): Hono<AppEnv> {
  const { db, clock } = home
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/predictions', async (c) =>
    c.json(
      await listPredictions(db, {
        condition: queryText(c, 'condition'),
        version: queryText(c, 'version'),
        limit: queryLimit(c),
        cursor: queryText(c, 'cursor'),
      }),
    ),
  )
  routes.get('/api/v1/predictions/:id', async (c) => {
    const { prediction, expiresAt } = await getPrediction(db, c.req.param('id'))
    return c.json({ ...prediction, expiresAt, feedback: await listFeedback(db, prediction.id) })
  })
  routes.delete('/api/v1/predictions/:id', async (c) => {
    await deletePrediction(home, c.req.param('id'))
    return c.body(null, 204)
  })
  routes.get('/api/v1/predictions/:id/heatmap.png', async (c) => {
    const stored = await getPrediction(db, c.req.param('id'))
    const composite = queryChoice(c, { name: 'composite', of: ['0', '1', 'true', 'false'] })
    const isComposite = composite === '1' || composite === 'true'
    const scale = queryNumber(c, { name: 'scale', min: 1e-12, max: 1e12 })
    c.header('Content-Type', 'image/png')
    c.header('Cache-Control', CACHING)
    return c.body(new Uint8Array(await drawHeatmap(home, { stored, isComposite, scale })))
  })
  routes.post('/api/v1/predictions/:id/feedback', async (c) => {
    const { verdict, label, comment } = await readJson(c, FeedbackBodySchema)
    const feedback = await addFeedback(db, {
      prediction: c.req.param('id'),
      verdict,
      label: label ?? undefined,
      comment: comment ?? undefined,
      by: c.var.actor.by,
      clock,
    })
    return c.json(feedback, 201)
  })
  return routes
}

async function drawHeatmap(
  home: Home,
  o: { stored: StoredPrediction; isComposite: boolean; scale: number | undefined },
): Promise<Uint8Array> {
  const { stored, isComposite } = o
  const { prediction, heatmap } = stored
  if (!heatmap) {
    throw new AppError('not-found', 'This result has no heatmap: none was asked for.')
  }
  const path = isComposite ? keptImagePath(home, stored) : undefined
  if (isComposite && !path) throw new AppError('gone', 'The image is no longer kept.')
  const composite = path ? await readFile(path) : undefined
  const rule = await preprocessingOf(home, prediction.version)
  const { width, height } = prediction.image
  return home.imaging.heatmap({
    ...heatmap,
    scale: o.scale ?? heatmap.scale,
    width,
    height,
    ...(rule && { rule }),
    ...(composite && { composite }),
  })
}

/** How the image was laid into the model's input; undefined once the package is gone, when stretching is assumed. */
async function preprocessingOf(home: Home, versionId: string): Promise<Preprocessing | undefined> {
  const ref = findVersionRef(versionId)
  if (!ref) return undefined
  return readServingConfig(packageDir(home.store, ref)).then(
    (config) => config.preprocessing,
    () => undefined,
  )
}
