// The demonstration of a first start: an empty store is given the packages that come with the product, and each condition
// that never had an answer gets its usual one, through the whole gate like any other version.
import { messageOf } from '../errors.ts'
import { activateVersion } from '../registry/activation/activate.ts'
import { listHistory } from '../registry/activation/activations.ts'
import { listConditions } from '../registry/conditions/conditions.ts'
import { findDefaultVersion, seedDemonstration } from '../registry/versions/seed-demonstration.ts'
import { listActive } from '../registry/versions/verify-all.ts'
import { DEMONSTRATION_DIR } from './product.ts'
import type { Uses } from './services.ts'

export async function seedStore(services: Uses<'store' | 'log'>): Promise<void> {
  const seeded = await seedDemonstration(services.store, DEMONSTRATION_DIR)
  if (seeded.length > 0)
    services.log.info({ packages: seeded.length }, 'demonstration models put in place')
}

/** One after the other, so that a small machine is not asked to start six hosts at once. */
export async function activateDemonstration(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'store'>,
): Promise<void> {
  for (const condition of await listConditions(services.db)) {
    if (condition.active) continue
    const { items } = await listHistory(services.db, { condition: condition.id, limit: 1 })
    const version =
      items.length === 0 ? await findDefaultVersion(services.db, condition.id) : undefined
    if (!version) continue
    try {
      await activateVersion(services, {
        condition: condition.id,
        version,
        reason: 'demo version for an empty store; synthetic images, not for clinical use',
        by: 'roentgen',
        via: 'policy',
      })
    } catch (error) {
      services.log.error(
        { version: version.id },
        `demonstration not activated: ${messageOf(error)}`,
      )
    }
  }
}

/** For the top of every page, while a demonstration answers for any condition. */
export async function demonstrationNotice(services: Uses<'db'>): Promise<string | undefined> {
  const active = await listActive(services.db)
  const isDemonstrated = active.some(({ version }) => version.demonstration)
  return isDemonstrated
    ? 'Demo models: trained on synthetic images. Not for clinical use.'
    : undefined
}
