// A reader's word about a result: kept, and then the rule of the condition is asked whether its challenger is promoted.

import { promoteByRule } from '../registry/challenger/promote-challenger.ts'
import { addFeedback, type Feedback, type NewFeedback } from '../registry/predictions/feedback.ts'
import { getPrediction } from '../registry/predictions/predictions.ts'
import type { Home } from './home.ts'

/** The reader does not wait for a promotion. @throws AppError as `addFeedback` */
export async function sayFeedback(home: Home, said: Omit<NewFeedback, 'clock'>): Promise<Feedback> {
  const feedback = await addFeedback(home.db, { ...said, clock: home.clock })
  const { condition } = (await getPrediction(home.db, said.prediction)).prediction
  home.chores.run('a promotion by rule', () => promoteByRule(home, condition))
  return feedback
}
