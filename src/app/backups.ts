// One backup at a time: each copies the database and reads every package.
import { AppError } from '../errors.ts'
import { type Backup, type BackupOptions, createBackup } from '../registry/home/backup.ts'
import { PRODUCT_VERSION } from './product.ts'

export class Backups {
  #isUnderWay = false

  /** Until its stream is closed no other is made. @throws AppError `busy` */
  async make(home: Omit<BackupOptions, 'product'>): Promise<Backup> {
    if (this.#isUnderWay) {
      const sentence = 'A backup is being made already; try again when it has ended.'
      throw new AppError('busy', sentence, { retryAfterSeconds: 30 })
    }
    this.#isUnderWay = true
    try {
      const made = await createBackup({ ...home, product: PRODUCT_VERSION })
      made.stream.once('close', () => {
        this.#isUnderWay = false
      })
      return made
    } catch (error) {
      this.#isUnderWay = false
      throw error
    }
  }
}
