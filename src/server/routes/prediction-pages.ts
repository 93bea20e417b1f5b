// Pages of what was read before: the list, one result, feedback, deletion.
import { Hono } from 'hono'
import { feedbackPanel } from '../../../views/feedback.ts'
import { links } from '../../../views/links.ts'
import { predictionListPage, predictionRows } from '../../../views/prediction-list.ts'
import { predictionPage } from '../../../views/prediction-show.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import { listFeedback } from '../../registry/predictions/feedback.ts'
import {
  deletePrediction,
  getPrediction,
  listPredictions,
} from '../../registry/predictions/predictions.ts'
import { FeedbackBodySchema } from '../api-schemas.ts'
import type { AppEnv } from '../app-env.ts'
import { sayFeedback } from '../feedback-said.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import { fieldOf } from '../image-fields.ts'
import { findConditionById, findVersionById, seeOther } from '../page-data.ts'
import { wantsFragment } from '../problem.ts'
import { parseWith, queryText, readForm } from '../requests.ts'

const PER_PAGE = 30

export function predictionPages(home: Home): Hono<AppEnv> {
  const { db } = home
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
      condition: await findConditionById(home, prediction.condition),
      version: await findVersionById(home, prediction.version),
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
    await sayFeedback(home, {
      prediction: id,
      verdict: given.verdict,
      label: given.label ?? undefined,
      comment: given.comment ?? undefined,
      by: c.var.actor.by,
    })
    if (!wantsFragment(c)) return seeOther(c, `${links.prediction(id)}#feedback`)
    const { prediction } = await getPrediction(db, id)
    const condition = await findConditionById(home, prediction.condition)
    return c.html(feedbackPanel({ prediction, condition, feedback: await listFeedback(db, id) }))
  })
  routes.post('/predictions/:id/delete', async (c) => {
    await deletePrediction(home, c.req.param('id'))
    return seeOther(c, links.predictions())
  })
  return routes
}
