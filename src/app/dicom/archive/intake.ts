// An image from outside becomes a waiting job: told apart by its SOP Instance UID, spooled, then written down, in that order,
// so that a job that is there has its file.
import { AppError } from '../../../errors.ts'
import type { StudyIdentity } from '../../../imaging/dicom/study-identity.ts'
import {
  type ArchiveJob,
  addArchiveImage,
  archiveJobId,
  findArchiveJob,
} from '../../../registry/archive/archive-jobs.ts'
import { exclusive } from '../../../registry/home/exclusive.ts'
import type { Uses } from '../../services.ts'
import { keyOf, type Spool } from './spool.ts'

/** The kind of the jobs. */
export const ARCHIVE_IMAGE = 'archive-image'

export interface Received {
  readonly identity: StudyIdentity
  /** False when the image was known already: nothing happens again. */
  readonly isNew: boolean
}

/** @throws AppError `unsupported-image`, `undecodable-image`, `invalid` when it is no DICOM file that names study and image */
export async function receiveImage(
  services: Uses<'db' | 'imaging' | 'jobs'>,
  o: {
    readonly bytes: Uint8Array
    readonly source: ArchiveJob['source']
    readonly spool: Spool
    /** The study that it must belong to. */
    readonly study?: string | undefined
  },
): Promise<Received> {
  const { db, jobs } = services
  const identity = await services.imaging.identify(o.bytes)
  if (o.study !== undefined && o.study !== identity.studyInstanceUid) {
    throw new AppError('invalid', 'The image belongs to a different study.')
  }
  const key = keyOf(identity.image.sopInstanceUid)
  // Somebody may send the same at the same time.
  const work = async () => {
    if (await findArchiveJob(db, key)) return false
    await o.spool.put(key, o.bytes)
    await addArchiveImage(db, { key, source: o.source })
    await jobs.add(ARCHIVE_IMAGE, {
      ...{ id: archiveJobId(key), input: { key }, subject: { type: 'image', id: key } },
      actor: { by: o.source, via: 'file' },
    })
    return true
  }
  return { identity, isNew: await exclusive(db, { key: ` archive ${key}`, work }) }
}
