// The OpenAPI 3.1 document of the API, made of the operations that the app's routes declare.
import type { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import { PRODUCT_VERSION } from '../../app/product.ts'
import type { AppEnv } from '../http/app-env.ts'

export async function apiDocument(app: Hono<AppEnv>): Promise<object> {
  return generateSpecs(app, {
    excludeStaticFile: false,
    documentation: {
      info: {
        title: 'Roentgen',
        version: PRODUCT_VERSION,
        description:
          'Reads X-rays with models that are verified before they answer. Research use only; not a medical device. ' +
          'Errors are application/problem+json (RFC 9457) with a stable `code`.',
      },
      servers: [{ url: '/' }],
    },
  })
}
