// Pages of training: start runs, watch the queue, one run live.
import { type Context, Hono } from 'hono'
import { type ArchitectureChoice, trainingPage } from '../../../views/runs/form.ts'
import { runList } from '../../../views/runs/list.ts'
import { runSetPage, runSetPanel } from '../../../views/runs/set.ts'
import { runPage, runPanel } from '../../../views/runs/show.ts'
import { startButton } from '../../../views/runs/start-button.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import { conditionFromDataset, findMismatch, usualCondition } from '../../app/runs/class-fit.ts'
import type { TrainingQueue } from '../../app/runs/training-queue.ts'
import type { Uses } from '../../app/services.ts'
import { architectureCards } from '../../architectures/architecture-cards.ts'
import {
  findWeights,
  IMAGENET,
  imagenetName,
  listWeights,
} from '../../conversion/pretrained/weights-store.ts'
import { AppError } from '../../errors.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import { listDatasets } from '../../registry/runs/datasets.ts'
import { lastLogLines } from '../../registry/runs/run-events.ts'
import { listRuns, type Run } from '../../registry/runs/runs.ts'
import { listVersions } from '../../registry/versions/version-list.ts'
import { expectedMemory } from '../../training/run-checks.ts'
import { usualOf } from '../../training/setting-fields.ts'
import { PRESETS, TRAINING_FIELDS } from '../../training/settings.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf } from '../http/image-fields.ts'
import { problemProps, seeOther } from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { parseWith, queryText, readForm } from '../http/requests.ts'
import { runRequestOf } from './run-form.ts'
import { NewRunSchema } from './schema.ts'

const SHOWN_RUNS = 30
const LOG_LINES = 60
/** The newest can be started from on the page; any by the API. */
const SHOWN_VERSIONS = 200
const MIB = 2 ** 20

type Fields = ReadonlyMap<string, string>
type Act = (id: string) => Promise<Run>

export function trainingPages(
  services: Uses<'clock' | 'db' | 'store'> & { readonly runs: TrainingQueue },
): Hono<AppEnv> {
  const { db, runs } = services
  const routes = new Hono<AppEnv>()
  routes.get('/training', async (c) => {
    if (wantsFragment(c)) return c.html(runList(await runsProps(c)))
    return c.html(trainingPage(await startProps(c, { chosen: chosenByLink(c) })))
  })
  routes.post('/training', async (c) => {
    const chosen = await readForm(c)
    try {
      const wishes = parseWith(NewRunSchema, runRequestOf(chosen))
      return seeOther(c, afterQueuing(await runs.add(wishes, c.var.actor)))
    } catch (error) {
      const problem = problemProps(error)
      const props = await startProps(c, { chosen, problem })
      return c.html(trainingPage(props), problem.status as 422)
    }
  })
  routes.get('/training/fit', async (c) => {
    const fields = new Map(Object.entries(c.req.query()))
    return c.html(startButton({ mismatch: await mismatchOf(await completeChoice(fields)) }))
  })
  routes.post('/training/condition', async (c) => {
    const sent = await readForm(c)
    try {
      const dataset = fieldOf(sent, 'from') ?? ''
      const { id } = await conditionFromDataset(services, { dataset, actor: c.var.actor })
      const chosen = new Map([...sent, ['condition', id]])
      return c.html(trainingPage(await startProps(c, { chosen })), 201)
    } catch (error) {
      const problem = problemProps(error)
      const props = await startProps(c, { chosen: sent, problem })
      return c.html(trainingPage(props), problem.status as 422)
    }
  })
  routes.post('/training/whole-set', async (c) => {
    const chosen = new Map<string, string>()
    try {
      const datasets = (await listDatasets(db)).filter(({ prepared }) => prepared?.condition)
      if (datasets.length === 0) {
        const text = 'Dataset not prepared: prepare at least one for a condition first.'
        throw new AppError('dataset-not-prepared', text)
      }
      const hasWeights = await findWeights(services.store.dataDir, imagenetName('densenet121'))
      const hyperparameters = hasWeights ? { weights: IMAGENET } : {}
      const wishes = { ...WHOLE_SET, dataset: datasets.map(({ id }) => id), hyperparameters }
      return seeOther(c, afterQueuing(await runs.add(wishes, c.var.actor)))
    } catch (error) {
      const problem = problemProps(error)
      const props = await startProps(c, { chosen, problem })
      return c.html(trainingPage(props), problem.status as 422)
    }
  })
  routes.get('/training/sets/:id', async (c) => {
    const props = { frame: frameOf(c), set: await runs.set(c.req.param('id')) }
    return c.html(wantsFragment(c) ? runSetPanel(props) : runSetPage(props))
  })
  routes.get('/training/:id', async (c) => {
    const props = await runProps(c, {})
    return c.html(wantsFragment(c) ? runPanel(props) : runPage(props))
  })
  const acts: Readonly<Record<string, Act>> = {
    pause: (id) => runs.pause(id),
    resume: (id) => runs.resume(id),
    stop: (id) => runs.stopAndKeepBest(id),
    cancel: (id) => runs.cancel(id),
  }
  for (const [name, act] of Object.entries(acts)) {
    routes.post(`/training/:id/${name}`, (c) => acted(c, act))
  }
  routes.post('/training/:id/again', async (c) => {
    const run = await runs.get(c.req.param('id'))
    const batchSize = Number((await readForm(c)).get('batchSize') ?? Number.NaN)
    const smaller = Number.isFinite(batchSize) ? { batchSize } : {}
    try {
      const hyperparameters = { ...run.hyperparameters, ...smaller }
      const { condition, dataset, architecture, preset, name, tags, initFrom, id: again } = run
      const wishes = { condition, dataset, architecture, preset, tags, initFrom, again }
      const [queued] = await runs.add(
        { ...wishes, hyperparameters, ...(name !== null && { name }) },
        c.var.actor,
      )
      return seeOther(c, links.run(queued?.id ?? run.id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(runPage(await runProps(c, { problem })), problem.status as 409)
    }
  })
  return routes

  /** Does it and shows the run again; a refusal is shown on the same page, with its status. */
  async function acted(c: Context<AppEnv>, act: Act): Promise<Response> {
    const { id } = await runs.get(c.req.param('id') ?? '')
    try {
      await act(id)
      if (!wantsFragment(c)) return seeOther(c, links.run(id))
      return c.html(runPanel(await runProps(c, {})))
    } catch (error) {
      const problem = problemProps(error)
      const props = await runProps(c, { problem })
      return c.html(wantsFragment(c) ? runPanel(props) : runPage(props), problem.status as 409)
    }
  }

  async function runProps(c: Context<AppEnv>, shown: { problem?: ProblemProps }) {
    const run = await runs.get(c.req.param('id') ?? '')
    const log = await lastLogLines(db, { run: run.id, limit: LOG_LINES })
    return { frame: frameOf(c), run, log, ...shown }
  }

  async function runsProps(c: Context<AppEnv>) {
    const page = await runs.list({ limit: SHOWN_RUNS, cursor: queryText(c, 'cursor') })
    return { runs: page.items, nextCursor: page.nextCursor }
  }

  /** With what the form shows where nothing was chosen. */
  async function completeChoice(chosen: Fields): Promise<Fields> {
    const prepared = (await listDatasets(db)).filter((one) => one.prepared !== null)
    const isTicked = ({ id }: { readonly id: string }) => chosen.has(`dataset:${id}`)
    const first = prepared.find(isTicked) ?? prepared[0]
    const complete = new Map(chosen)
    if (first && !prepared.some(isTicked)) complete.set(`dataset:${first.id}`, 'on')
    if (!complete.has('condition')) {
      complete.set('condition', usualCondition(first, await listConditions(db)))
    }
    return complete
  }

  function mismatchOf(chosen: Fields) {
    const prefix = 'dataset:'
    const keys = [...chosen.keys()].filter((key) => key.startsWith(prefix))
    const datasets = keys.map((key) => key.slice(prefix.length))
    return findMismatch(db, { condition: chosen.get('condition') ?? '', datasets })
  }

  async function startProps(
    c: Context<AppEnv>,
    shown: { readonly chosen: Fields; readonly problem?: ProblemProps },
  ) {
    const chosen = await completeChoice(shown.chosen)
    const newest = await listVersions(db, { limit: SHOWN_VERSIONS })
    const versions = newest.items.filter(
      ({ files, status }) =>
        (status === 'verified' || status === 'unevaluated') &&
        files.some(({ path }) => path === 'models/tfjs/model.json'),
    )
    return {
      frame: frameOf(c),
      conditions: await listConditions(db),
      datasets: await listDatasets(db),
      architectures: await architectureChoices(services),
      presets: Object.entries(PRESETS).map(([name, preset]) => ({ name, ...preset })),
      settings: TRAINING_FIELDS.map((one) => ({ ...one, usualText: usualOf(one) })),
      versions,
      weights: await listWeights(services.store.dataDir),
      ...(await runsProps(c)),
      ...shown,
      chosen,
      mismatch: await mismatchOf(chosen),
    }
  }
}

/** Every prepared dataset, for clear heatmaps. */
const WHOLE_SET = {
  architecture: 'DenseNet121',
  preset: ['heatmap-standard', 'heatmap-intensive'],
} as const

function afterQueuing([first, ...more]: readonly Run[]): string {
  const set = first?.lineage.set
  if (more.length > 0 && typeof set === 'string') return links.runSet(set)
  return first ? links.run(first.id) : links.training()
}

/** `?condition=&dataset=&initFrom=` of a link to the form. */
function chosenByLink(c: Context<AppEnv>): Fields {
  const chosen = new Map<string, string>()
  for (const name of ['condition', 'initFrom']) {
    const value = queryText(c, name)
    if (value) chosen.set(name, value)
  }
  const dataset = queryText(c, 'dataset')
  if (dataset) chosen.set(`dataset:${dataset}`, 'on')
  return chosen
}

/** With what they took the last time on this machine. */
async function architectureChoices({ db }: Uses<'db'>): Promise<ArchitectureChoice[]> {
  const { items } = await listRuns(db, { state: 'finished', limit: 100 })
  return (await architectureCards()).map((card) => {
    const last = items.find(({ architecture }) => architecture === card.name)
    const memory = expectedMemory({ card, imageSize: card.inputSize, batchSize: 32 })
    return {
      ...card,
      imagesPerSecond: last?.progress.imagesPerSecond || null,
      memoryMegabytes: Math.round(memory / MIB / 10) * 10,
    }
  })
}
