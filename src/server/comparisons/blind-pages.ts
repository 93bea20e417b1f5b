// Pages of a blinded reading, step by step, and how votes went.
import { type Context, Hono } from 'hono'
import { blindPage, blindTallyPage } from '../../../views/comparisons/blind.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import { comparePredictions } from '../../app/comparisons/compare-image.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { getCondition } from '../../registry/conditions/conditions.ts'
import {
  getBlindReading,
  noteOwnReading,
  PREFERENCES,
  tallyVotes,
  voteBlindly,
} from '../../registry/paired/blind-readings.ts'
import { getPrediction } from '../../registry/predictions/predictions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf } from '../http/image-fields.ts'
import { problemProps, seeOther } from '../http/page-data.ts'
import { conditionOfPath, readForm } from '../http/requests.ts'
import { comparisonProps } from './comparison-props.ts'

export function blindPages(services: Uses<'clock' | 'db'>): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  routes.get('/compare/blind/:id', async (c) => c.html(await readingPage(c, {})))
  routes.post('/compare/blind/:id/read', (c) =>
    step(c, async (id, fields) => {
      const { condition } = await getBlindReading(db, id)
      const labels = (await getCondition(db, condition)).classes.map((one) => one.label)
      const label = fieldOf(fields, 'label') ?? null
      if (label === null && !fields.has('unsure')) {
        throw new AppError('invalid', 'Choose a diagnosis, or “unsure”.')
      }
      await noteOwnReading(db, { id, label, labels, clock })
    }),
  )
  routes.post('/compare/blind/:id/vote', (c) =>
    step(c, async (id, fields) => {
      const given = fieldOf(fields, 'preference')
      const preference = PREFERENCES.find((one) => one === given)
      if (!preference) throw new AppError('invalid', 'Choose which result is better.')
      await voteBlindly(db, { id, preference, by: c.var.actor.by, clock })
    }),
  )
  routes.get('/conditions/:id/votes', async (c) => {
    const condition = await getCondition(db, conditionOfPath(c))
    const tallies = await tallyVotes(db, condition.id)
    return c.html(blindTallyPage({ frame: frameOf(c), condition, tallies }))
  })
  return routes

  async function step(
    c: Context<AppEnv>,
    act: (id: string, fields: ReadonlyMap<string, string>) => Promise<void>,
  ): Promise<Response> {
    const id = c.req.param('id') ?? ''
    const fields = await readForm(c)
    await getBlindReading(db, id)
    try {
      await act(id, fields)
      return seeOther(c, links.blind(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await readingPage(c, { problem }), problem.status as 409)
    }
  }

  async function readingPage(c: Context<AppEnv>, shown: { problem?: ProblemProps }) {
    const reading = await getBlindReading(db, c.req.param('id') ?? '')
    const a = await getPrediction(db, reading.a.prediction)
    const b = await getPrediction(db, reading.b.prediction)
    const [first, second] = reading.isSwapped ? [b, a] : [a, b]
    const props = {
      frame: frameOf(c),
      reading,
      condition: await getCondition(db, reading.condition),
      sides: [first.prediction, second.prediction] as const,
      imageAvailable: a.imageFile !== null,
      ...shown,
    }
    if (reading.state !== 'voted') return blindPage(props)
    const compared = comparePredictions(a.prediction, b.prediction)
    const comparison = await comparisonProps(services, { compared, stored: [a, b] })
    const isPair = (one: { a: string; b: string }): boolean =>
      [one.a, one.b].sort().join() === [reading.a.version, reading.b.version].sort().join()
    const tally = (await tallyVotes(db, reading.condition)).find(isPair)
    return blindPage({ ...props, revealed: { comparison, tally } })
  }
}
