// Pages of the registry: all versions, one version, notes and tags, deletion, import.

import { type Context, Hono } from 'hono'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import { modelListPage, modelRows } from '../../../views/versions/list.ts'
import { modelPage } from '../../../views/versions/show.ts'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import type { EvaluationJobs } from '../../app/evaluations/evaluation-jobs.ts'
import type { PendingImports } from '../../app/models/pending-imports.ts'
import { plotsOf, versionResults } from '../../app/models/version-results.ts'
import type { Uses } from '../../app/services.ts'
import { formatVersion } from '../../package/ids.ts'
import { listHistory } from '../../registry/activation/activations.ts'
import { listChanges } from '../../registry/conditions/changes.ts'
import { getCondition, listConditions } from '../../registry/conditions/conditions.ts'
import { packageDir } from '../../registry/home/store.ts'
import { findReplay } from '../../registry/versions/replay-golden.ts'
import { signersOf } from '../../registry/versions/trusted-keys.ts'
import { deleteVersion, undeleteVersion } from '../../registry/versions/version-bin.ts'
import {
  listArchitectures,
  listVersions,
  newestVersions,
} from '../../registry/versions/version-list.ts'
import { getVersion, patchVersion } from '../../registry/versions/versions.ts'
import { evaluationPages, evaluationsOf } from '../evaluations/pages.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { problemProps, seeOther } from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { queryText, readForm, readQuery, versionOfPath } from '../http/requests.ts'
import { modelImportPages } from './import-pages.ts'
import { VersionQuery } from './schema.ts'
import { shownPlots } from './shown-plots.ts'

const ONE = '/models/:condition/:name/:n'
const FILTERS = [
  'condition',
  'architecture',
  'status',
  'tag',
  'minAccuracy',
  'from',
  'to',
  'q',
  'sort',
  'order',
] as const
const HISTORY_LINES = 500
const SHOWN_ACTIVATIONS = 20
/** Others to compare with. */
const SIBLINGS = 100

export function modelPages(
  services: Uses<'clock' | 'config' | 'db' | 'gate' | 'inbox' | 'jobs' | 'log' | 'store'> & {
    readonly evaluations: EvaluationJobs
    readonly examples: ExampleGallery
    readonly imports: PendingImports
  },
): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()
  routes.get('/models', async (c) => {
    const props = await listProps(c, {})
    return c.html(wantsFragment(c) ? modelRows(props) : modelListPage(props))
  })
  const refused = async (c: Context<AppEnv>, problem: ProblemProps) =>
    c.html(modelListPage(await listProps(c, { problem })), problem.status as 422)
  routes.route('/', modelImportPages(services, refused))
  routes.get(ONE, async (c) => c.html(modelPage(await oneProps(c, {}))))
  routes.post(`${ONE}/edit`, async (c) => {
    const fields = await readForm(c)
    const ref = versionOfPath(c)
    const tags = fields.get('tags')
    const patch = { notes: fields.get('notes'), tags: tags?.split(',') }
    await patchVersion(db, { ref, patch, actor: c.var.actor, clock })
    return seeOther(c, links.version(formatVersion(ref)))
  })
  routes.post(`${ONE}/delete`, (c) => changed(c, deleteVersion, links.models()))
  routes.post(`${ONE}/undelete`, (c) => changed(c, undeleteVersion))
  routes.route('/', evaluationPages(services))
  return routes

  /** Does it and goes on; a refusal is shown on the version's page. */
  async function changed(
    c: Context<AppEnv>,
    change: typeof deleteVersion,
    next?: string,
  ): Promise<Response> {
    try {
      const { id } = await change(services, { ref: versionOfPath(c), actor: c.var.actor, clock })
      return seeOther(c, next ?? links.version(id))
    } catch (error) {
      const problem = problemProps(error)
      if (problem.status !== 409 && problem.status !== 410) throw error
      return c.html(modelPage(await oneProps(c, { problem })), problem.status)
    }
  }

  async function listProps(c: Context<AppEnv>, shown: { problem?: ProblemProps }) {
    const filter = Object.fromEntries(FILTERS.map((name) => [name, queryText(c, name)]))
    try {
      const page = await listVersions(db, readQuery(c, VersionQuery))
      return { ...common(c), ...page, ...(await choices()), ...shown }
    } catch (error) {
      const problem = problemProps(error)
      return { ...common(c), items: [], nextCursor: null, total: 0, ...(await choices()), problem }
    }
    function common(context: Context<AppEnv>) {
      return { frame: frameOf(context), filter, inbox: services.inbox }
    }
    async function choices() {
      return {
        conditions: await listConditions(db),
        architectures: await listArchitectures(db),
      }
    }
  }

  async function oneProps(c: Context<AppEnv>, shown: { problem?: ProblemProps }) {
    const version = await getVersion(db, versionOfPath(c))
    const newest = await newestVersions(db, { condition: version.condition, limit: SIBLINGS })
    const history = await listHistory(db, { condition: version.condition, limit: HISTORY_LINES })
    return {
      frame: frameOf(c),
      version,
      condition: await getCondition(db, version.condition),
      evaluations: await evaluationsOf(services, version),
      plots: shownPlots(version, plotsOf(await versionResults(services, version))),
      siblings: newest.filter((one) => one.id !== version.id),
      replay: findReplay(await listChanges(db, version.id)),
      signers: await signersOf(db, packageDir(services.store, version)).catch(
        () => 'damaged' as const,
      ),
      activations: history.items
        .filter((one) => one.version === version.id)
        .slice(0, SHOWN_ACTIVATIONS),
      ...shown,
    }
  }
}
