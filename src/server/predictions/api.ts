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
import type { AppEnv } from '../http/app-env.ts'
import { bytes, json, operation } from '../operations/operation.ts'
import { IdParams } from '../operations/shared-schemas.ts'
import {
  FeedbackBodySchema,
  FeedbackSchema,
  HeatmapQuery,
  KeptPredictionSchema,
  PredictionPageSchema,
  PredictionQuery,
} from './schema.ts'

/** A result never changes, and it is nobody else's. */
const CACHING = 'private, max-age=3600, immutable'

const tag = 'predictions'
const shared = { tag, params: IdParams }
const unknown = [404, 'unknown-prediction'] as const
const GONE = [410, 'gone: it has expired'] as const

export function predictionRoutes(
  services: Uses<'clock' | 'db' | 'gate' | 'imaging' | 'log' | 'store' | 'tasks'>,
): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/predictions',
      tag,
      summary: 'Earlier predictions, newest first',
      query: PredictionQuery,
      answers: { 200: { ...json(PredictionPageSchema, 'A page'), alsoAs: ['text/csv'] } },
      errors: [[422, 'invalid']],
    },
    async ({ c, query: { format, ...filter }, reply }) => {
      const page = await listPredictions(db, filter)
      if (format !== 'csv') return reply(200, page)
      const { items, nextCursor } = page
      if (nextCursor) {
        const next = new URLSearchParams({ ...c.req.query(), cursor: nextCursor })
        c.header('Link', `</api/v1/predictions?${next}>; rel="next"`)
      }
      c.header('Content-Type', CSV_TYPE)
      c.header('Content-Disposition', 'attachment; filename="predictions.csv"')
      return c.body(predictionTable(items))
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/predictions/:id',
      summary: 'One prediction, with the feedback on it',
      answers: { 200: json(KeptPredictionSchema, 'The prediction') },
      errors: [unknown, GONE],
    },
    async ({ params: { id }, reply }) => {
      const { prediction, expiresAt } = await getPrediction(db, id)
      const feedback = await listFeedback(db, prediction.id)
      return reply(200, { ...prediction, expiresAt, feedback })
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'delete',
      path: '/api/v1/predictions/:id',
      summary: 'Delete a prediction and its image now',
      answers: { 204: { description: 'Deleted' } },
      errors: [unknown],
    },
    async ({ params: { id }, reply }) => {
      await deletePrediction(services, id)
      return reply(204)
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/predictions/:id/heatmap.png',
      summary: 'The heatmap as a transparent overlay of the upload’s size',
      query: HeatmapQuery,
      answers: { 200: bytes('image/png', 'The picture') },
      errors: [[404, 'unknown-prediction, not-found'], GONE, [422, 'invalid']],
    },
    async ({ c, params: { id }, query: { composite, scale } }) => {
      const stored = await getPrediction(db, id)
      const isComposite = composite === '1' || composite === 'true'
      c.header('Content-Type', 'image/png')
      c.header('Cache-Control', CACHING)
      return c.body(new Uint8Array(await drawHeatmap(services, { stored, isComposite, scale })))
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'get',
      path: '/api/v1/predictions/:id/report.pdf',
      summary: 'A page to print: images, decision, probabilities, warnings and how they came about',
      answers: { 200: bytes('application/pdf', 'The report') },
      errors: [unknown, GONE],
    },
    async ({ c, params: { id } }) => {
      const stored = await getPrediction(db, id)
      const pdf = await reportPdf(services, stored)
      c.header('Content-Type', 'application/pdf')
      c.header('Content-Disposition', `inline; filename="${stored.prediction.id}.pdf"`)
      c.header('Cache-Control', 'private, no-store')
      return c.body(new Uint8Array(pdf))
    },
  )
  operation(
    routes,
    {
      ...shared,
      method: 'post',
      path: '/api/v1/predictions/:id/feedback',
      summary: 'Agree or disagree with a prediction',
      json: FeedbackBodySchema,
      answers: { 201: json(FeedbackSchema, 'Kept') },
      errors: [unknown, GONE, [422, 'invalid']],
    },
    async ({ c, params: { id }, body: { verdict, label, comment }, reply }) => {
      const feedback = await recordFeedback(services, {
        prediction: id,
        verdict,
        label: label ?? undefined,
        comment: comment ?? undefined,
        by: c.var.actor.by,
      })
      return reply(201, feedback)
    },
  )
  return routes
}
