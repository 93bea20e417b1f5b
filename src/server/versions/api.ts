// /api/v1/versions: the registry of models, and packages that come and go.
import { Readable } from 'node:stream'
import type { Context } from 'hono'
import { Hono } from 'hono'
import { importModel } from '../../app/models/import-model.ts'
import type { Uses } from '../../app/services.ts'
import { exportPackage } from '../../registry/versions/exchange-package.ts'
import { deleteVersion, undeleteVersion } from '../../registry/versions/version-bin.ts'
import {
  listVersions,
  VERSION_SORTS,
  type VersionListing,
} from '../../registry/versions/version-list.ts'
import { getVersion, patchVersion, type Version } from '../../registry/versions/versions.ts'
import { evaluationRoutes } from '../evaluations/api.ts'
import { VersionPatchSchema } from '../http/api-schemas.ts'
import type { AppEnv } from '../http/app-env.ts'
import {
  queryChoice,
  queryLimit,
  queryNumber,
  queryText,
  readJson,
  versionOfPath,
} from '../http/requests.ts'
import { readUpload } from '../http/uploads.ts'
import { plotRoutes } from './plots.ts'

const ONE = '/api/v1/versions/:condition/:name/:n'
const STATUSES = ['verified', 'unevaluated', 'quarantined', 'deleted'] as const

export function versionRoutes(
  services: Uses<
    'clock' | 'config' | 'db' | 'gate' | 'imaging' | 'leaving' | 'log' | 'runtime' | 'store'
  >,
): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/versions', async (c) => {
    const { items, ...page } = await listVersions(db, versionFilter(c))
    return c.json({ items: items.map(shown), ...page })
  })
  routes.post('/api/v1/versions/import', async (c) => {
    const spoolDir = services.store.stagingDir
    const limits = { maxFileBytes: services.config.maxImportBytes, maxFiles: 1, spoolDir }
    const upload = await readUpload(c.req.raw, limits)
    try {
      const imported = await importModel(services, { upload, actor: c.var.actor })
      const { version, created, goldenReplay } = imported
      c.header('Location', `/api/v1/versions/${version.condition}/${version.name}/${version.n}`)
      return c.json({ ...shown(version), goldenReplay }, created ? 201 : 200)
    } finally {
      await upload.dispose()
    }
  })
  routes.get(ONE, async (c) => c.json(shown(await getVersion(db, versionOfPath(c)))))
  routes.patch(ONE, async (c) => {
    const patch = await readJson(c, VersionPatchSchema)
    const change = { ref: versionOfPath(c), patch, actor: c.var.actor, clock }
    return c.json(shown(await patchVersion(db, change)))
  })
  routes.delete(ONE, async (c) => {
    const version = await deleteVersion(services, {
      ref: versionOfPath(c),
      actor: c.var.actor,
      clock,
    })
    return c.json(shown(version))
  })
  routes.post(`${ONE}/undelete`, async (c) => {
    const change = { ref: versionOfPath(c), actor: c.var.actor, clock }
    return c.json(shown(await undeleteVersion(services, change)))
  })
  routes.get(`${ONE}/export`, async (c) => {
    const { stream, fileName } = await exportPackage(services, versionOfPath(c))
    c.header('Content-Type', 'application/zip')
    c.header('Content-Disposition', `attachment; filename="${fileName}"`)
    return c.body(Readable.toWeb(stream) as ReadableStream)
  })
  routes.route('/', plotRoutes(services))
  routes.route('/', evaluationRoutes(services))
  return routes
}

/** The filters of a list of versions as a query says them. @throws AppError `invalid` */
export function versionFilter(c: Context<AppEnv>): VersionListing {
  return {
    condition: queryText(c, 'condition'),
    architecture: queryText(c, 'architecture'),
    status: queryChoice(c, { name: 'status', of: STATUSES }),
    tag: queryText(c, 'tag'),
    minAccuracy: queryNumber(c, { name: 'minAccuracy', min: 0, max: 1 }),
    from: queryText(c, 'from'),
    to: queryText(c, 'to'),
    q: queryText(c, 'q'),
    sort: queryChoice(c, { name: 'sort', of: VERSION_SORTS }),
    order: queryChoice(c, { name: 'order', of: ['asc', 'desc'] }),
    limit: queryLimit(c),
    cursor: queryText(c, 'cursor'),
  }
}

/** A version as it is given out: without the number of its row. */
export function shown(version: Version): Version {
  const { rowId: _, ...given } = version as Version & { rowId?: number }
  return given
}
