// A reader's feedback on a result: stored, and then the rule of the condition is asked whether its challenger is promoted.

import { promoteByRule } from '../../registry/challenger/promote-challenger.ts'
import {
  addFeedback,
  type Feedback,
  type NewFeedback,
} from '../../registry/predictions/feedback.ts'
import { getPrediction } from '../../registry/predictions/predictions.ts'
import type { Uses } from '../services.ts'

/** The reader does not wait for a promotion. @throws AppError as `addFeedback` */
export async function recordFeedback(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'store' | 'tasks'>,
  said: Omit<NewFeedback, 'clock'>,
): Promise<Feedback> {
  const feedback = await addFeedback(services.db, { ...said, clock: services.clock })
  const { condition } = (await getPrediction(services.db, said.prediction)).prediction
  services.tasks.run('a promotion by rule', () => promoteByRule(services, condition))
  return feedback
}
