// /api/v1/predict and /compare: an image in, predictions out.

import { Hono } from 'hono'
import { compareVersions } from '../../app/comparisons/compare-image.ts'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import { predictImage } from '../../app/diagnosis/predict-image.ts'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import type { AppEnv } from '../http/app-env.ts'
import { fieldOf, readImageFields, requiredField } from '../http/image-fields.ts'
import { json, operation } from '../operations/operation.ts'
import { CompareForm, ComparisonSchema, PredictForm, PredictionSchema } from './schema.ts'

const tag = 'predict'
const TOO_LARGE = [413, 'upload-too-large, too-many-pixels'] as const
const NOT_READ = [415, 'unsupported-image'] as const
const BUSY = [503, 'busy, loading; with Retry-After'] as const

export function predictRoutes(
  services: Uses<'config' | 'db' | 'imaging' | 'makeReady' | 'metrics' | 'runtime' | 'store'> & {
    readonly examples: ExampleGallery
    readonly shadow: Shadow
  },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/predict',
      tag,
      summary: 'Predict on one image',
      description: 'By the active version of the condition, or by the version that is named.',
      form: PredictForm,
      answers: {
        200: {
          ...json(PredictionSchema, 'The prediction'),
          headers: { 'X-Roentgen-Version': 'the version that predicted' },
        },
      },
      errors: [
        [404, 'unknown-condition, unknown-version'],
        [409, 'no-active-version, hash-mismatch'],
        TOO_LARGE,
        NOT_READ,
        [
          422,
          'condition-required, image-required, undecodable-image, unknown-operating-point, unknown-layer, unknown-target, invalid',
        ],
        BUSY,
      ],
    },
    async ({ c, reply }) => {
      const { fields, ...image } = await readImageFields(services, {
        request: c.req.raw,
        isPage: false,
      })
      const version = fieldOf(fields, 'version')
      const request = { ...image, version, signal: c.req.raw.signal }
      const prediction = await predictImage(services, request)
      c.header('X-Roentgen-Version', prediction.version)
      return reply(200, prediction)
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/compare',
      tag,
      summary: 'Predict on one image with two versions',
      form: CompareForm,
      answers: { 200: json(ComparisonSchema, 'Both predictions; deltas are b minus a') },
      errors: [
        [404, 'unknown-condition, unknown-version'],
        [409, 'hash-mismatch'],
        TOO_LARGE,
        NOT_READ,
        [422, 'condition-required, image-required, undecodable-image, unknown-target, invalid'],
        BUSY,
      ],
    },
    async ({ c, reply }) => {
      const { fields, ...image } = await readImageFields(services, {
        request: c.req.raw,
        isPage: false,
      })
      const [a, b] = [requiredField(fields, 'a'), requiredField(fields, 'b')]
      const request = { ...image, a, b, signal: c.req.raw.signal }
      const { note: _, ...comparison } = await compareVersions(services, request)
      return reply(200, comparison)
    },
  )
  return routes
}
