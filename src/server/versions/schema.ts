// What programs send and get about versions, and about comparisons of several.

import { z } from 'zod'
import {
  CalibrationSchema,
  ClassSchema,
  FileEntrySchema,
  KindSchema,
  MetricsSchema,
  OperatingPointSchema,
  PrecisionEvidenceSchema,
} from '../../package/schema.ts'
import { VERSION_STATUSES } from '../../registry/schema/states.ts'
import { VERSION_SORTS } from '../../registry/versions/version-list.ts'
import {
  choiceOf,
  fileField,
  listOf,
  numberIn,
  pageOf,
  paging,
  VersionParams,
} from '../operations/shared-schemas.ts'

const shape = {
  id: z.string().meta({ examples: ['pneumonia/densenet121-standard@3'] }),
  condition: z.string(),
  name: z.string(),
  n: z.int().min(1),
  sha256: z.string().describe('of the bytes of manifest.json'),
  architecture: z.string(),
  status: z.enum(VERSION_STATUSES),
  statusReason: z.string().nullable(),
  createdAt: z.string(),
  registeredAt: z.string(),
  registeredBy: z.string(),
  registeredVia: z.string(),
  verifiedAt: z.string().nullable().describe('when all its files were last found intact'),
  deletedAt: z.string().nullable(),
  isInBin: z.boolean().describe('deleted, and can still be put back'),
  sizeBytes: z.int(),
  kind: KindSchema,
  classes: z.array(ClassSchema),
  notice: z.string().nullable(),
  demonstration: z.boolean(),
  metrics: MetricsSchema.nullable(),
  calibration: CalibrationSchema.nullable(),
  operatingPoints: z.array(OperatingPointSchema),
  defaultOperatingPoint: z.string().nullable(),
  int8: PrecisionEvidenceSchema.nullable(),
  files: z.array(FileEntrySchema),
  lineage: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  tags: z.array(z.string()),
  notes: z.string(),
  aliases: z.array(z.string()),
  active: z.boolean().describe('it answers for its condition now'),
}

export const VersionSchema = z.object(shape).meta({ id: 'Version' })

export const VersionPageSchema = pageOf(VersionSchema).extend({
  total: z.int().describe('of all pages'),
})

export const ImportedVersionSchema = z.object({
  ...shape,
  goldenReplay: z
    .object({ ok: z.boolean(), detail: z.string() })
    .loose()
    .nullable()
    .describe('whether it computes here what it computed where it was made; null when unknown'),
})

export const VersionPatchSchema = z.strictObject({
  notes: z.string().max(20_000).optional(),
  tags: z.array(z.string().trim().min(1).max(64)).max(50).optional(),
})

export const VersionQuery = z.object({
  condition: z.string().optional().describe('id of a condition'),
  architecture: z.string().optional().describe('name of an architecture'),
  status: choiceOf(VERSION_STATUSES).optional(),
  tag: z.string().optional().describe('has this tag'),
  minAccuracy: numberIn({ min: 0, max: 1 }).optional(),
  from: z.string().optional().describe('made at or after'),
  to: z.string().optional().describe('made at or before'),
  q: z.string().optional().describe('words in id, architecture, tags or notes'),
  sort: choiceOf(VERSION_SORTS).optional().describe('createdAt by default'),
  order: choiceOf(['asc', 'desc']).optional(),
  ...paging,
})

export const ImportForm = z.object({
  package: fileField(
    '.roentgen.zip, .onnx, .keras, .h5, .pth, .safetensors, or a TF.js model (model.json with its weight files), zipped',
  ),
  condition: z.string().optional().describe('id; made when it is not there'),
  name: z.string().optional().describe('name of the version'),
  classes: z
    .string()
    .optional()
    .describe(
      'JSON array, or labels divided by commas, in the order of the outputs; * marks findings',
    ),
  preprocessing: z
    .string()
    .optional()
    .describe('JSON of a preprocessing, or its scaling only: tf, torch, caffe, unit or raw'),
  architecture: z.string().optional().describe('what to call its architecture'),
  kind: z
    .string()
    .optional()
    .describe('binary, single-label or multi-label, where the condition is new'),
})

export const PlotParams = VersionParams.extend({
  file: z
    .string()
    .describe(
      'training_curves, loss_curve, accuracy_curve, confusion_matrix, roc, pr or reliability, with .png, .pdf or .svg',
    )
    .meta({ examples: ['roc.svg'] }),
})

export const ComparisonQuery = z.object({
  version: z
    .array(z.string())
    .max(100)
    .optional()
    .describe('condition/name@n; given twice or more'),
})

export const InboxSchema = listOf(
  z.object({
    name: z.string(),
    kind: z.enum(['package', 'zip', 'foreign', 'folder']),
    state: z.enum(['waiting', 'needs-details', 'refused']),
    reason: z.string(),
  }),
)
