// Pages of what was read before: the list, one result, feedback, deletion.
import { Hono } from 'hono'
import { feedbackPanel } from '../../../views/predictions/feedback.ts'
import { predictionListPage, predictionRows } from '../../../views/predictions/list.ts'
import { predictionPage } from '../../../views/predictions/show.ts'
import { links } from '../../../views/shared/links.ts'
import { recordFeedback } from '../../app/diagnosis/record-feedback.ts'
import type { Uses } from '../../app/services.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import { listFeedback } from '../../registry/predictions/feedback.ts'
import {
  deletePrediction,
  getPrediction,
  listPredictions,
} from '../../registry/predictions/predictions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf } from '../http/image-fields.ts'
import { findConditionById, findVersionById, seeOther } from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { parseWith, queryText, readForm } from '../http/requests.ts'
import { FeedbackBodySchema } from './schema.ts'

const PER_PAGE = 30

export function predictionPages(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'store' | 'tasks'>,
): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()
  routes.get('/predictions', async (c) => {
    const filter = { condition: queryText(c, 'condition'), version: queryText(c, 'version') }
    const cursor = queryText(c, 'cursor')
    const props = {
      frame: frameOf(c),
      ...(await listPredictions(db, { ...filter, cursor, limit: PER_PAGE })),
      filter,
      conditions: await listConditions(db),
    }
    return c.html(wantsFragment(c) ? predictionRows(props) : predictionListPage(props))
  })
  routes.get('/predictions/:id', async (c) => {
    const { prediction, imageFile } = await getPrediction(db, c.req.param('id'))
    const props = {
      frame: frameOf(c),
      prediction,
      condition: await findConditionById(services, prediction.condition),
      version: await findVersionById(services, prediction.version),
      feedback: await listFeedback(db, prediction.id),
      imageAvailable: imageFile !== null,
    }
    return c.html(predictionPage(props))
  })
  routes.post('/predictions/:id/feedback', async (c) => {
    const fields = await readForm(c)
    const given = parseWith(FeedbackBodySchema, {
      verdict: fieldOf(fields, 'verdict'),
      label: fieldOf(fields, 'label'),
      comment: fieldOf(fields, 'comment'),
    })
    const id = c.req.param('id')
    await recordFeedback(services, {
      prediction: id,
      verdict: given.verdict,
      label: given.label ?? undefined,
      comment: given.comment ?? undefined,
      by: c.var.actor.by,
    })
    if (!wantsFragment(c)) return seeOther(c, `${links.prediction(id)}#feedback`)
    const { prediction } = await getPrediction(db, id)
    const condition = await findConditionById(services, prediction.condition)
    return c.html(feedbackPanel({ prediction, condition, feedback: await listFeedback(db, id) }))
  })
  routes.post('/predictions/:id/delete', async (c) => {
    await deletePrediction(services, c.req.param('id'))
    return seeOther(c, links.predictions())
  })
  return routes
}
