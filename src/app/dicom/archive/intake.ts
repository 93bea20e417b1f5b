// An image from outside becomes a waiting job: told apart by its SOP Instance UID, spooled, then written down, in that order,
// so that a job that is there has its file.
import { AppError } from '../../../errors.ts'
import type { StudyIdentity } from '../../../imaging/dicom/study-identity.ts'
import {
  type ArchiveJob,
  addArchiveJob,
  imageState,
  isKnownImage,
} from '../../../registry/archive/archive-jobs.ts'
import type { Uses } from '../../services.ts'
import { keyOf, type Spool } from './spool.ts'

export interface Received {
  readonly identity: StudyIdentity
  /** False when the image was known already: nothing happens again. */
  readonly isNew: boolean
}

/** @throws AppError `unsupported-image`, `undecodable-image`, `invalid` when it is no DICOM file that names study and image */
export async function receiveImage(
  services: Uses<'db' | 'clock' | 'imaging'>,
  o: {
    readonly bytes: Uint8Array
    readonly source: ArchiveJob['source']
    readonly spool: Spool
    /** The study that it must belong to. */
    readonly study?: string | undefined
  },
): Promise<Received> {
  const { db, clock } = services
  const identity = await services.imaging.identify(o.bytes)
  if (o.study !== undefined && o.study !== identity.studyInstanceUid) {
    throw new AppError('invalid', 'The image belongs to another study than it was sent to.')
  }
  const key = keyOf(identity.image.sopInstanceUid)
  if (await isKnownImage(db, key)) return { identity, isNew: false }
  await o.spool.put(key, o.bytes)
  const isNew = await addArchiveJob(db, { key, source: o.source, clock })
  // Somebody sent the same at the same time, and it was read already: nobody else would remove this file.
  if (!isNew && (await imageState(db, key)) !== 'waiting') await o.spool.remove(key)
  return { identity, isNew }
}
