// Pages of an import: a package is registered at once; a model from elsewhere is described, tried on an image, then saved.
import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'
import type { ProblemProps } from '../../../views/error.ts'
import { links } from '../../../views/links.ts'
import { modelImportPage } from '../../../views/model-import.ts'
import { AppError } from '../../errors.ts'
import { followPolicy } from '../../registry/activation/follow-policy.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import { architectureCards } from '../../training/architecture-cards.ts'
import { parseClasses } from '../../training/import/foreign-fields.ts'
import type { AppEnv } from '../app-env.ts'
import { findExample } from '../examples.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import { fieldOf } from '../image-fields.ts'
import { foreignUpload, importModel } from '../importing.ts'
import { exampleProps, problemProps, seeOther } from '../page-data.ts'
import { PendingImports } from '../pending-imports.ts'
import { readUpload, type Upload } from '../uploads.ts'

const FIELDS = ['condition', 'name', 'classes', 'kind', 'scaling', 'preprocessing', 'architecture']

/** `refused`: the list of models with the problem on it. */
export function modelImportPages(
  home: Home,
  refused: (c: Context<AppEnv>, problem: ProblemProps) => Promise<Response>,
): Hono<AppEnv> {
  const pending = new PendingImports(home)
  const routes = new Hono<AppEnv>()
  routes.post('/models/import', async (c) => {
    const spoolDir = home.store.stagingDir
    const limits = { maxFileBytes: home.config.maxImportBytes, maxFiles: 1, spoolDir }
    const upload = await readUpload(c.req.raw, limits)
    try {
      const foreign = await foreignUpload(upload)
      if (foreign) return seeOther(c, links.modelImportOne(await pending.begin(foreign)))
      const { version } = await importModel(home, { upload, actor: c.var.actor })
      return seeOther(c, links.version(version.id))
    } catch (error) {
      return refused(c, problemProps(error))
    } finally {
      await upload.dispose()
    }
  })
  routes.get('/models/import/:id', async (c) => c.html(await onePage(c, {})))
  routes.post('/models/import/:id/try', async (c) => {
    const id = c.req.param('id')
    pending.get(id)
    const { maxUploadBytes } = home.config
    const upload = await readUpload(c.req.raw, { maxFileBytes: maxUploadBytes, maxFiles: 1 })
    pending.note(id, saidOf(upload))
    try {
      await pending.tryOut(id, { fields: fieldsOf(upload), image: await imageOf(upload) })
      return seeOther(c, links.modelImportOne(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await onePage(c, { problem }), problem.status as 422)
    }
  })
  routes.post('/models/import/:id/save', async (c) => {
    try {
      const { version, created } = await pending.save(c.req.param('id'), c.var.actor)
      if (created) await followPolicy(home, version)
      return seeOther(c, links.version(version.id))
    } catch (error) {
      const problem = problemProps(error)
      if (problem.status === 410) throw error
      return c.html(await onePage(c, { problem }), problem.status as 409)
    }
  })
  routes.post('/models/import/:id/discard', async (c) => {
    await pending.discard(c.req.param('id'))
    return seeOther(c, links.models())
  })
  return routes

  async function onePage(c: Context<AppEnv>, shown: { problem?: ProblemProps }) {
    return modelImportPage({
      frame: frameOf(c),
      pending: pending.get(c.req.param('id') ?? ''),
      conditions: await listConditions(home.db),
      architectures: (await architectureCards()).map(({ name }) => name),
      examples: await exampleProps(home),
      ...shown,
    })
  }

  async function imageOf({ files, fields }: Upload): Promise<Uint8Array> {
    const bytes = files.find((one) => one.field === 'image')?.bytes
    if (bytes) return bytes
    const example = fieldOf(fields, 'example')
    const found = example === undefined ? undefined : await findExample(home, example)
    if (found) return readFile(found.path)
    throw new AppError('image-required', 'Choose an image to try the model on.')
  }
}

/** As the form had it, to be shown again. */
function saidOf({ fields }: Upload): Record<string, string> {
  return Object.fromEntries(FIELDS.map((name) => [name, fields.get(name) ?? '']))
}

/** As the import of a program takes them. @throws AppError `invalid` */
function fieldsOf(upload: Upload): Record<string, string> {
  const { scaling, preprocessing = '', classes = '', ...rest } = saidOf(upload)
  const lines = classes.split(/[\r\n]+/).filter((line) => line.trim() !== '')
  if (lines.length > 0) parseClasses(JSON.stringify(lines))
  if (scaling === 'own' && preprocessing.trim() === '') {
    throw new AppError('invalid', 'Write down its preprocessing, or choose one of the usual ones.')
  }
  return {
    ...rest,
    classes: lines.length > 0 ? JSON.stringify(lines) : '',
    preprocessing: scaling === 'own' ? preprocessing : (scaling ?? ''),
  }
}
