// Forgetting for good: rows first and all at once, then the image, then the log of the database, in which they would still
// stand. Killed in between, the next start finishes it: the names of images to remove are kept until they are.
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { sql } from 'kysely'
import type { RegistryPlace } from '../home/registry-context.ts'
import type { Db } from '../schema/database.ts'

/** In place of the id of a prediction, where what else is known of it stays. */
export const FORGOTTEN = 'forgotten'

export interface ForgetOptions {
  /** ISO 8601: the id stays known as gone since then. */
  readonly goneAt?: string
}

/** One prediction with its feedback and image. @throws when the rows cannot be changed, as on a full disk: nothing is then */
export async function forgetPrediction(
  place: RegistryPlace,
  { id, imageFile }: { id: string; imageFile: string | null },
  { goneAt }: ForgetOptions = {},
): Promise<void> {
  await place.db.transaction().execute(async (trx) => {
    if (imageFile !== null) await rememberImage(trx, imageFile)
    if (goneAt !== undefined) {
      await trx
        .insertInto('prediction_tombstones')
        .values({ id, gone_at: goneAt })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    } else await removeMentions(trx, id)
    await trx.deleteFrom('predictions').where('id', '=', id).execute()
  })
  await removeForgottenImages(place)
}

/** Those whose rows are gone; at a start too, what a killed process left. */
export async function removeForgottenImages({ db, store }: RegistryPlace): Promise<void> {
  const images = await db.selectFrom('forgotten_images').select('name').execute()
  for (const { name } of images) {
    await rm(join(store.uploadsDir, basename(name)), { force: true })
    // On a full disk its name stays until there is room again.
    await db
      .deleteFrom('forgotten_images')
      .where('name', '=', name)
      .execute()
      .catch(() => {})
  }
}

/** Old pages stand in the write-ahead log until it is emptied. While a backup reads it stays; the next time does it. */
export async function emptyLog(db: Db): Promise<void> {
  await sql`pragma wal_checkpoint(truncate)`.execute(db).catch(() => {})
}

async function rememberImage(trx: Db, name: string): Promise<void> {
  await trx
    .insertInto('forgotten_images')
    .values({ name })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Evidence, votes, deliveries and comparisons stay, without the id. */
async function removeMentions(trx: Db, id: string): Promise<void> {
  await trx
    .updateTable('challenger_pairs')
    .set({ prediction: FORGOTTEN })
    .where('prediction', '=', id)
    .execute()
  for (const column of ['a_prediction', 'b_prediction'] as const) {
    await trx
      .updateTable('blind_readings')
      .set({ [column]: FORGOTTEN })
      .where(column, '=', id)
      .execute()
  }
  const mention = `%${id}%`
  await sql`update archive_jobs set results = replace(results, ${id}, ${FORGOTTEN}) where results like ${mention}`.execute(
    trx,
  )
  await sql`update paired_lines set image = replace(image, ${id}, ${FORGOTTEN}), body = replace(body, ${id}, ${FORGOTTEN}) where image = ${id} or body like ${mention}`.execute(
    trx,
  )
}
