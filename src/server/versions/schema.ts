// What programs send and get about versions.
import { z } from 'zod'
import { listOf } from '../operations/shared-schemas.ts'

export const InboxSchema = listOf(
  z.object({
    name: z.string(),
    kind: z.enum(['package', 'zip', 'foreign', 'folder']),
    state: z.enum(['waiting', 'needs-details', 'refused']),
    reason: z.string(),
  }),
)
