// /api/v1/predictions: what was read before, its heatmap, what readers thought of it.
import { Hono } from 'hono'
import { drawHeatmap } from '../../app/diagnosis/heatmap-drawing.ts'
import { CSV_TYPE, predictionTable } from '../../app/diagnosis/prediction-csv.ts'
import { recordFeedback } from '../../app/diagnosis/record-feedback.ts'
import { reportPdf } from '../../app/reports/report.ts'
import type { Uses } from '../../app/services.ts'
import { listFeedback } from '../../registry/predictions/feedback.ts'
import {
  deletePrediction,
  getPrediction,
  listPredictions,
} from '../../registry/predictions/predictions.ts'
import { FeedbackBodySchema } from '../http/api-schemas.ts'
import type { AppEnv } from '../http/app-env.ts'
import { queryChoice, queryLimit, queryNumber, queryText, readJson } from '../http/requests.ts'

/** A result never changes, and it is nobody else's. */
const CACHING = 'private, max-age=3600, immutable'

export function predictionRoutes(
  services: Uses<'clock' | 'db' | 'gate' | 'imaging' | 'log' | 'store' | 'tasks'>,
): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/predictions', async (c) => {
    const page = await listPredictions(db, {
      condition: queryText(c, 'condition'),
      version: queryText(c, 'version'),
      limit: queryLimit(c),
      cursor: queryText(c, 'cursor'),
    })
    if (queryChoice(c, { name: 'format', of: ['json', 'csv'] }) !== 'csv') return c.json(page)
    const { items, nextCursor } = page
    if (nextCursor) {
      const next = new URLSearchParams({ ...c.req.query(), cursor: nextCursor })
      c.header('Link', `</api/v1/predictions?${next}>; rel="next"`)
    }
    c.header('Content-Type', CSV_TYPE)
    c.header('Content-Disposition', 'attachment; filename="predictions.csv"')
    return c.body(predictionTable(items))
  })
  routes.get('/api/v1/predictions/:id', async (c) => {
    const { prediction, expiresAt } = await getPrediction(db, c.req.param('id'))
    return c.json({ ...prediction, expiresAt, feedback: await listFeedback(db, prediction.id) })
  })
  routes.delete('/api/v1/predictions/:id', async (c) => {
    await deletePrediction(services, c.req.param('id'))
    return c.body(null, 204)
  })
  routes.get('/api/v1/predictions/:id/heatmap.png', async (c) => {
    const stored = await getPrediction(db, c.req.param('id'))
    const composite = queryChoice(c, { name: 'composite', of: ['0', '1', 'true', 'false'] })
    const isComposite = composite === '1' || composite === 'true'
    const scale = queryNumber(c, { name: 'scale', min: 1e-12, max: 1e12 })
    c.header('Content-Type', 'image/png')
    c.header('Cache-Control', CACHING)
    return c.body(new Uint8Array(await drawHeatmap(services, { stored, isComposite, scale })))
  })
  routes.get('/api/v1/predictions/:id/report.pdf', async (c) => {
    const stored = await getPrediction(db, c.req.param('id'))
    const pdf = await reportPdf(services, stored)
    c.header('Content-Type', 'application/pdf')
    c.header('Content-Disposition', `inline; filename="${stored.prediction.id}.pdf"`)
    c.header('Cache-Control', 'private, no-store')
    return c.body(new Uint8Array(pdf))
  })
  routes.post('/api/v1/predictions/:id/feedback', async (c) => {
    const { verdict, label, comment } = await readJson(c, FeedbackBodySchema)
    const feedback = await recordFeedback(services, {
      prediction: c.req.param('id'),
      verdict,
      label: label ?? undefined,
      comment: comment ?? undefined,
      by: c.var.actor.by,
    })
    return c.json(feedback, 201)
  })
  return routes
}
