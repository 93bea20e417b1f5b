// What programs send and get of a batch.
import { z } from 'zod'
import { ProblemSchema } from '../operations/problem-schema.ts'
import { fileField, filesField } from '../operations/shared-schemas.ts'
import {
  conditionField,
  explainFields,
  predictionShape,
  versionField,
} from '../predictions/schema.ts'

export const BatchForm = z.object({
  image: filesField('any number of images, or zips of them').optional(),
  zip: fileField('a zip of images, in its own order').optional(),
  folder: z.string().optional().describe('a folder below the data root, such as "chest-xray/test"'),
  condition: conditionField,
  version: versionField.optional(),
  ...explainFields,
})

const file = z.string().optional().describe('its name in the zip or folder')

export const BatchLineSchema = z.union([
  z.object({ ...predictionShape, file }),
  ProblemSchema.extend({ file }),
])
