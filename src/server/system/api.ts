// The server itself for programs: alive, ready, figures in the Prometheus text format, a backup, and the description of the
// API.
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { PRODUCT_VERSION } from '../../app/product.ts'
import { serverGauges } from '../../app/server-gauges.ts'
import type { Uses } from '../../app/services.ts'
import { listWarnings } from '../../registry/home/warnings.ts'
import type { AppEnv } from '../http/app-env.ts'
import { bytes, json, operation } from '../operations/operation.ts'
import { apiDocument } from './api-document.ts'
import { AliveSchema, ApiDocumentSchema, NotReadySchema, ReadySchema } from './schema.ts'

const tag = 'server'

export function systemRoutes(
  services: Uses<'backup' | 'db' | 'isReady' | 'metrics' | 'reasons' | 'runtime'>,
  { described }: { readonly described: () => Hono<AppEnv> },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/healthz',
      tag,
      summary: 'Alive',
      answers: { 200: json(AliveSchema, 'Alive') },
    },
    ({ reply }) => reply(200, { status: 'ok', version: PRODUCT_VERSION }),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/readyz',
      tag,
      summary: 'Ready: the registry is open and every active version can answer',
      answers: {
        200: json(ReadySchema, 'Ready'),
        503: json(NotReadySchema, 'Not ready, with reasons'),
      },
    },
    ({ c, reply }) => {
      const found = listWarnings(services.db).map(({ sentence }) => sentence)
      const warnings = found.length > 0 ? { warnings: found } : {}
      if (services.isReady) return reply(200, { status: 'ready', ...warnings })
      c.header('Retry-After', '1')
      return reply(503, { status: 'not ready', reasons: services.reasons, ...warnings })
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/metrics',
      tag,
      summary: 'Figures in the Prometheus text format',
      answers: { 200: bytes('text/plain', 'The figures') },
    },
    ({ c }) => {
      c.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
      return c.body(services.metrics.text(serverGauges(services)))
    },
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/openapi.json',
      tag,
      summary: 'This document',
      answers: { 200: json(ApiDocumentSchema, 'OpenAPI 3.1') },
    },
    async ({ reply }) => reply(200, await apiDocument(described())),
  )
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/backup',
      tag,
      summary: 'Registry, packages and kept images as one zip; `roentgen restore` brings it back',
      answers: { 200: bytes('application/zip', 'The zip') },
    },
    async ({ c }) => {
      const { stream, fileName, holds } = await services.backup()
      c.header('X-Roentgen-Holds', JSON.stringify(holds))
      c.header('Content-Type', 'application/zip')
      c.header('Content-Disposition', `attachment; filename="${fileName}"`)
      return c.body(Readable.toWeb(stream) as ReadableStream)
    },
  )
  return routes
}
