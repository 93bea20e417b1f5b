// Looks for images in the archive that were not seen before, and fetches them.
import { findArchiveJob } from '../../../registry/archive/archive-jobs.ts'
import { listArchiveRules } from '../../../registry/archive/archive-rules.ts'
import { asAppError } from '../../problem.ts'
import type { Uses } from '../../services.ts'
import { type ArchiveAddress, fetchImage, findImages, isPassing } from './dicomweb-client.ts'
import { receiveImage } from './intake.ts'
import { keyOf, type Spool } from './spool.ts'

const DAY_MS = 86_400_000

/** One look. Images that cannot be fetched now come with the next look. @throws AppError when the archive does not answer */
export async function pollArchive(
  services: Uses<'clock' | 'config' | 'db' | 'imaging' | 'jobs' | 'log'>,
  o: { readonly archive: ArchiveAddress; readonly spool: Spool },
): Promise<void> {
  const { db } = services
  const rules = (await listArchiveRules(db)).filter(({ enabled }) => enabled)
  const since = new Date(services.clock().getTime() - services.config.dicom.days * DAY_MS)
  const day = since.toISOString().slice(0, 10).replaceAll('-', '')
  for (const modality of new Set(rules.flatMap((rule) => rule.modalities))) {
    for await (const address of findImages(o.archive, { modality, since: day })) {
      if (o.archive.signal.aborted) return
      if (await findArchiveJob(db, keyOf(address.instance))) continue
      try {
        const bytes = await fetchImage(o.archive, address)
        await receiveImage(services, { bytes, source: 'archive', spool: o.spool })
      } catch (error) {
        if (isPassing(error)) throw error
        services.log.warn(
          { reason: asAppError(error).message },
          'an image of the archive was not taken',
        )
      }
    }
  }
}
