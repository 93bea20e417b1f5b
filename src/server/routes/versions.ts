// /api/v1/versions: the registry of models, and packages that come and go.
import { Readable } from 'node:stream'
import type { Context } from 'hono'
import { Hono } from 'hono'
import { exportPackage } from '../../registry/versions/exchange-package.ts'
import { deleteVersion, undeleteVersion } from '../../registry/versions/version-bin.ts'
import {
  listVersions,
  VERSION_SORTS,
  type VersionListing,
} from '../../registry/versions/version-list.ts'
import { getVersion, patchVersion, type Version } from '../../registry/versions/versions.ts'
import { VersionPatchSchema } from '../api-schemas.ts'
import type { AppEnv } from '../app-env.ts'
import type { Home } from '../home.ts'
import { importModel } from '../importing.ts'
import {
  queryChoice,
  queryLimit,
  queryNumber,
  queryText,
  readJson,
  versionOfPath,
} from '../requests.ts'
import { readUpload } from '../uploads.ts'
import { evaluationRoutes } from './evaluations.ts'
import { plotRoutes } from './plots.ts'

const ONE = '/api/v1/versions/:condition/:name/:n'
const STATUSES = ['verified', 'unevaluated', 'quarantined', 'deleted'] as const

export function versionRoutes(home: Home): Hono<AppEnv> {
  const { db, clock } = home
  const routes = new Hono<AppEnv>()
  routes.get('/api/v1/versions', async (c) => {
    const { items, ...page } = await listVersions(db, versionFilter(c))
    return c.json({ items: items.map(shown), ...page })
  })
  routes.post('/api/v1/versions/import', async (c) => {
    const spoolDir = home.store.stagingDir
    const limits = { maxFileBytes: home.config.maxImportBytes, maxFiles: 1, spoolDir }
    const upload = await readUpload(c.req.raw, limits)
    try {
      const imported = await importModel(home, { upload, actor: c.var.actor })
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
    const version = await deleteVersion(home, {
      ref: versionOfPath(c),
      actor: c.var.actor,
      clock,
    })
    return c.json(shown(version))
  })
  routes.post(`${ONE}/undelete`, async (c) => {
    const change = { ref: versionOfPath(c), actor: c.var.actor, clock }
    return c.json(shown(await undeleteVersion(home, change)))
  })
  routes.get(`${ONE}/export`, async (c) => {
    const { stream, fileName } = await exportPackage(home, versionOfPath(c))
    c.header('Content-Type', 'application/zip')
    c.header('Content-Disposition', `attachment; filename="${fileName}"`)
    return c.body(Readable.toWeb(stream) as ReadableStream)
  })
  routes.route('/', plotRoutes(home))
  routes.route('/', evaluationRoutes(home))
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
