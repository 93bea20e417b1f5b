// Pages of two versions on many images: begin one, watch it, see where they differ, take it away as a table.

import { join } from 'node:path'
import { type Context, Hono } from 'hono'
import { pairedListPage } from '../../../views/comparisons/paired-list.ts'
import { pairedPage, pairedPanel } from '../../../views/comparisons/paired-show.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import { SPLITS } from '../../app/comparisons/paired-images.ts'
import type { PairedJobs } from '../../app/comparisons/paired-job.ts'
import { CSV_TYPE } from '../../app/diagnosis/prediction-csv.ts'
import type { Uses } from '../../app/services.ts'
import { AppError } from '../../errors.ts'
import { conditionNamed, findVersionRef } from '../../package/ids.ts'
import { pairedCsv } from '../../registry/paired/paired-csv.ts'
import {
  deletePairedJob,
  getPairedJob,
  listPairedEntries,
  listPairedJobs,
  type PairedPair,
} from '../../registry/paired/paired-jobs.ts'
import { listDatasets } from '../../registry/runs/datasets.ts'
import { datasetFolder } from '../../training/dataset/dataset-path.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf, requiredField } from '../http/image-fields.ts'
import { listChoices, problemProps, seeOther } from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { numberField, queryChoice, queryNumber, queryText, readForm } from '../http/requests.ts'
import { keptPicture, picture } from '../predictions/images.ts'

const PER_PAGE = 60
const JOBS = 50
const MAX_LINES = 1_000_000

export function pairedPages(
  services: Uses<'config' | 'db' | 'imaging' | 'store'> & { readonly comparisons: PairedJobs },
): Hono<AppEnv> {
  const { db } = services
  const jobs = services.comparisons
  const routes = new Hono<AppEnv>()
  routes.get('/ab', async (c) => c.html(await listPage(c, {})))
  routes.post('/ab', async (c) => {
    const fields = await readForm(c)
    try {
      return seeOther(c, links.abJob(await jobs.begin(requestOf(fields), c.var.actor)))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await listPage(c, { problem, fields }), problem.status as 422)
    }
  })
  routes.get('/ab/:id', async (c) => {
    const job = await getPairedJob(db, c.req.param('id'))
    const after = queryNumber(c, { name: 'after', min: 0, max: MAX_LINES }) ?? 0
    const wanted = { job: job.id, after, limit: PER_PAGE + 1, onlyDifferent: true }
    const found = await listPairedEntries(db, wanted)
    const different = found.slice(0, PER_PAGE)
    const next = found.length > PER_PAGE ? (different.at(-1)?.n ?? null) : null
    const props = { frame: frameOf(c), job, different, after: next }
    return c.html(wantsFragment(c) ? pairedPanel(props) : pairedPage(props))
  })
  routes.get('/ab/:id/images/:n', async (c) => {
    const job = await getPairedJob(db, c.req.param('id'))
    const n = Number(c.req.param('n'))
    const wanted = { job: job.id, after: Number.isInteger(n) ? n - 1 : MAX_LINES, limit: 1 }
    const [entry] = await listPairedEntries(db, wanted)
    if (entry?.n !== n) throw new AppError('not-found', 'There is no such image.')
    if (job.folder === null)
      return keptPicture(services, { c, prediction: entry.image, isSmall: true })
    const dir = await datasetFolder(services.config.datasetsDir, job.folder)
    // The name came from looking through that very folder.
    const path = join(dir, ...entry.image.split('/'))
    return picture(services, { c, path, isSmall: true })
  })
  routes.get('/ab/:id/table.csv', async (c) => {
    const job = await getPairedJob(db, c.req.param('id'))
    const onlyDifferent = queryChoice(c, { name: 'only', of: ['different'] }) === 'different'
    const wanted = { job: job.id, limit: MAX_LINES, onlyDifferent }
    const entries = await listPairedEntries(db, wanted)
    c.header('Content-Type', CSV_TYPE)
    c.header('Content-Disposition', 'attachment; filename="comparison.csv"')
    return c.body(
      pairedCsv(entries.filter((one): one is PairedPair & { n: number } => 'agree' in one)),
    )
  })
  routes.post('/ab/:id/stop', async (c) => {
    const id = c.req.param('id')
    await jobs.stop(id)
    return seeOther(c, links.abJob(id))
  })
  routes.post('/ab/:id/delete', async (c) => {
    await deletePairedJob(db, c.req.param('id'))
    return seeOther(c, links.ab())
  })
  return routes

  async function listPage(
    c: Context<AppEnv>,
    shown: { problem?: ProblemProps; fields?: ReadonlyMap<string, string> },
  ) {
    const { fields, problem } = shown
    const asked = (name: string) => (fields ? fieldOf(fields, name) : queryText(c, name))
    const a = asked('a')
    const condition = asked('condition') ?? (a && findVersionRef(a)?.condition)
    return pairedListPage({
      frame: frameOf(c),
      choices: await listChoices(services),
      folders: (await listDatasets(db)).map(({ path }) => path),
      jobs: await listPairedJobs(db, { condition: queryText(c, 'condition'), limit: JOBS }),
      chosen: {
        condition: condition || undefined,
        a,
        b: asked('b'),
        folder: asked('folder'),
        split: asked('split'),
      },
      ...(problem && { problem }),
    })
  }
}

/** @throws AppError `invalid`, `unknown-version` */
function requestOf(fields: ReadonlyMap<string, string>) {
  const [a, b] = [requiredField(fields, 'a'), requiredField(fields, 'b')]
  const condition = conditionNamed(a)
  if (fieldOf(fields, 'kind') === 'reread') {
    const limit = numberField(fields, 'limit') ?? 1000
    if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) {
      throw new AppError('invalid', '"limit" must be a whole number from 1 to 100000.')
    }
    return { condition, a, b, limit }
  }
  const text = fieldOf(fields, 'split')
  const split = SPLITS.find((one) => one === text)
  if (text !== undefined && !split) {
    throw new AppError('invalid', `"split" must be one of ${SPLITS.join(', ')}.`)
  }
  return { condition, a, b, folder: requiredField(fields, 'folder'), split }
}
