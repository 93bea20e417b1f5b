// What programs send and get about images from an archive; STOW-RS answers as DICOM PS3.18 has it.
import { z } from 'zod'
import { fileField } from '../operations/shared-schemas.ts'

const term = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9]{1,16}$/, 'must be a term of DICOM such as DX or CHEST')
const terms = z.array(term).max(100)

export const ArchiveRulePatchSchema = z.strictObject({
  enabled: z.boolean().optional(),
  modalities: terms.min(1).optional().describe('of (0008,0060), such as DX'),
  bodyParts: terms.optional().describe('of (0018,0015) without spaces, such as CHEST'),
  unnamedPart: z.boolean().optional().describe('also images that name no body part'),
})

export const ArchiveRuleSchema = z.object({
  condition: z.string(),
  enabled: z.boolean(),
  modalities: z.array(z.string()),
  bodyParts: z.array(z.string()),
  unnamedPart: z.boolean(),
})

const state = z.enum(['waiting', 'done', 'skipped', 'failed'])
const source = z.enum(['stow', 'folder', 'archive'])

export const ArchiveStatusSchema = z.object({
  sources: z.array(
    z.object({
      name: source,
      isOn: z.boolean(),
      inspectedAt: z.string().nullable(),
      problem: z.string().nullable(),
    }),
  ),
  counts: z.record(state, z.int()),
  rules: z.array(ArchiveRuleSchema.extend({ name: z.string() })),
  items: z.array(
    z.object({
      key: z.string().describe('SHA-256 of the SOP Instance UID'),
      source,
      state,
      detail: z.string().nullable(),
      results: z.array(
        z.object({ condition: z.string(), prediction: z.string(), delivered: z.boolean() }),
      ),
      attempts: z.int(),
      receivedAt: z.string(),
      endedAt: z.string().nullable(),
    }),
  ),
})

/** An attribute list as DICOM JSON has it: tag, then `vr` and `Value`. */
export const StoreAnswerSchema = z.record(
  z.string(),
  z.object({ vr: z.string(), Value: z.array(z.unknown()).optional() }),
)

export const StudyParams = z.object({
  study: z.string().describe('Study Instance UID that every object must have'),
})

export const SourceForm = z.object({ source: fileField('the very DICOM file that was read') })
