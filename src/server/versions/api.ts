// /api/v1/versions: the registry of models, and packages that come and go.
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { importModel } from '../../app/models/import-model.ts'
import type { Uses } from '../../app/services.ts'
import { exportPackage } from '../../registry/versions/exchange-package.ts'
import { deleteVersion, undeleteVersion } from '../../registry/versions/version-bin.ts'
import { listVersions } from '../../registry/versions/version-list.ts'
import { getVersion, patchVersion, type Version } from '../../registry/versions/versions.ts'
import { evaluationRoutes } from '../evaluations/api.ts'
import type { AppEnv } from '../http/app-env.ts'
import { versionOfParams } from '../http/requests.ts'
import { readUpload } from '../http/uploads.ts'
import { bytes, json, operation } from '../operations/operation.ts'
import { VersionParams } from '../operations/shared-schemas.ts'
import { plotRoutes } from './plots.ts'
import {
  ImportedVersionSchema,
  ImportForm,
  VersionPageSchema,
  VersionPatchSchema,
  VersionQuery,
  VersionSchema,
} from './schema.ts'

const tag = 'versions'
const ONE = { tag, path: '/api/v1/versions/:condition/:name/:n', params: VersionParams } as const
const unknown = [404, 'unknown-version'] as const

export function versionRoutes(
  services: Uses<
    | 'clock'
    | 'config'
    | 'db'
    | 'gate'
    | 'imaging'
    | 'jobs'
    | 'leaving'
    | 'log'
    | 'runtime'
    | 'store'
  >,
): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  operation(
    routes,
    {
      method: 'get',
      path: '/api/v1/versions',
      tag,
      summary: 'Search, filter and sort versions',
      query: VersionQuery,
      answers: { 200: json(VersionPageSchema, 'A page, with the total') },
      errors: [[422, 'invalid']],
    },
    async ({ query, reply }) => {
      const { items, ...page } = await listVersions(db, query)
      return reply(200, { items: items.map(shown), ...page })
    },
  )
  operation(
    routes,
    {
      method: 'post',
      path: '/api/v1/versions/import',
      tag,
      summary: 'Import a package or a foreign model',
      description:
        'A .roentgen.zip needs no further fields; a foreign model needs condition, name, classes and preprocessing. ' +
        'It never becomes active by itself unless the condition follows.',
      form: ImportForm,
      answers: {
        200: json(ImportedVersionSchema, 'It was there already'),
        201: json(ImportedVersionSchema, 'Registered'),
      },
      errors: [
        [409, 'hash-mismatch, conflict, untrusted'],
        [413, 'upload-too-large'],
        [422, 'invalid-package, invalid'],
      ],
    },
    async ({ c, reply }) => {
      const spoolDir = services.store.stagingDir
      const limits = { maxFileBytes: services.config.maxImportBytes, maxFiles: 1, spoolDir }
      const upload = await readUpload(c.req.raw, limits)
      try {
        const imported = await importModel(services, { upload, actor: c.var.actor })
        const { version, created, goldenReplay } = imported
        c.header('Location', `/api/v1/versions/${version.condition}/${version.name}/${version.n}`)
        return reply(created ? 201 : 200, { ...shown(version), goldenReplay })
      } finally {
        await upload.dispose()
      }
    },
  )
  operation(
    routes,
    {
      ...ONE,
      method: 'get',
      summary: 'One version whole',
      answers: { 200: json(VersionSchema, 'The version') },
      errors: [unknown],
    },
    async ({ params, reply }) => reply(200, shown(await getVersion(db, versionOfParams(params)))),
  )
  operation(
    routes,
    {
      ...ONE,
      method: 'patch',
      summary: 'Change notes and tags',
      json: VersionPatchSchema,
      answers: { 200: json(VersionSchema, 'As it is now') },
      errors: [unknown, [422, 'invalid']],
    },
    async ({ c, params, body: patch, reply }) => {
      const change = { ref: versionOfParams(params), patch, actor: c.var.actor, clock }
      return reply(200, shown(await patchVersion(db, change)))
    },
  )
  operation(
    routes,
    {
      ...ONE,
      method: 'delete',
      summary: 'Move a version to the trash',
      answers: { 200: json(VersionSchema, 'Deleted') },
      errors: [unknown, [409, 'conflict: it answers now']],
    },
    async ({ c, params, reply }) => {
      const change = { ref: versionOfParams(params), actor: c.var.actor, clock }
      return reply(200, shown(await deleteVersion(services, change)))
    },
  )
  operation(
    routes,
    {
      ...ONE,
      method: 'post',
      path: `${ONE.path}/undelete`,
      summary: 'Restore a deleted version from the trash',
      answers: { 200: json(VersionSchema, 'As it is now; hashed first') },
      errors: [
        unknown,
        [409, 'conflict: it is not deleted, or the same package was registered again'],
        [410, 'gone: the trash was emptied'],
      ],
    },
    async ({ c, params, reply }) => {
      const change = { ref: versionOfParams(params), actor: c.var.actor, clock }
      return reply(200, shown(await undeleteVersion(services, change)))
    },
  )
  operation(
    routes,
    {
      ...ONE,
      method: 'get',
      path: `${ONE.path}/export`,
      summary: 'The package as one .roentgen.zip',
      answers: { 200: bytes('application/zip', 'The zip') },
      errors: [unknown, [409, 'hash-mismatch']],
    },
    async ({ c, params }) => {
      const { stream, fileName } = await exportPackage(services, versionOfParams(params))
      c.header('Content-Type', 'application/zip')
      c.header('Content-Disposition', `attachment; filename="${fileName}"`)
      return c.body(Readable.toWeb(stream) as ReadableStream)
    },
  )
  routes.route('/', plotRoutes(services))
  routes.route('/', evaluationRoutes(services))
  return routes
}

/** A version as it is given out: without the number of its row. */
export function shown(version: Version): Version {
  const { rowId: _, ...given } = version as Version & { rowId?: number }
  return given
}
