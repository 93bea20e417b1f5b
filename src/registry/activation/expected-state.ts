// What a caller saw when deciding: the activation under which a version answered then. When it is another one by now, the
// change is refused, so that nobody changes what was never on the screen (CONTRACT section 7).
import { AppError } from '../../errors.ts'
import type { Condition } from '../conditions/conditions.ts'
import type { Db } from '../schema/database.ts'
import { type Activation, findActivation } from './activations.ts'

/** Id of the activation; null: nothing answered. Undefined: the caller does not say, and nothing is checked. */
export type ExpectedState = string | null | undefined

/**
 * `condition` must have been read under the lock, or in the transaction, of the change that follows.
 * @throws AppError `state-changed`; its `extra` holds the present `condition` and `current` activation
 */
export async function checkExpectedState(
  db: Db,
  { condition, expected }: { readonly condition: Condition; readonly expected: ExpectedState },
): Promise<void> {
  if (expected === undefined) return
  const id = condition.active?.activation ?? null
  if (id === expected) return
  const current = id === null ? null : ((await findActivation(db, id)) ?? null)
  throw new AppError('state-changed', `${whatChanged(condition, current)} Nothing was done.`, {
    extra: { expected, current, condition },
  })
}

function whatChanged({ name }: Condition, current: Activation | null): string {
  if (!current) return `${name} has changed meanwhile: no version answers now.`
  const { version, by, at } = current
  return `${name} has changed meanwhile: to ${version} by ${by} at ${at}.`
}
