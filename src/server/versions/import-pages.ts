// Pages of an import: a package is registered at once; a model from elsewhere is described, tried on an image, then saved.

import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import { modelImportPage } from '../../../views/versions/import.ts'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import { foreignUpload, importModel } from '../../app/models/import-model.ts'
import type { PendingImports } from '../../app/models/pending-imports.ts'
import type { Uses } from '../../app/services.ts'
import type { Upload } from '../../app/uploaded-files.ts'
import { architectureCards } from '../../architectures/architecture-cards.ts'
import { parseClasses } from '../../conversion/import/foreign-fields.ts'
import { AppError } from '../../errors.ts'
import { listConditions } from '../../registry/conditions/conditions.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf } from '../http/image-fields.ts'
import { exampleProps, problemProps, seeOther } from '../http/page-data.ts'
import { readUpload } from '../http/uploads.ts'

const FIELDS = [
  'condition',
  'name',
  'classes',
  'unitClass',
  'kind',
  'outputs',
  'scaling',
  'preprocessing',
  'architecture',
]

/** `refused`: the list of models with the problem on it. */
export function modelImportPages(
  services: Uses<'clock' | 'config' | 'db' | 'gate' | 'jobs' | 'log' | 'store'> & {
    readonly examples: ExampleGallery
    readonly imports: PendingImports
  },
  refused: (c: Context<AppEnv>, problem: ProblemProps) => Promise<Response>,
): Hono<AppEnv> {
  const pending = services.imports
  const routes = new Hono<AppEnv>()
  routes.post('/models/import', async (c) => {
    const spoolDir = services.store.stagingDir
    const limits = { maxFileBytes: services.config.maxImportBytes, maxFiles: 1, spoolDir }
    const upload = await readUpload(c.req.raw, limits)
    try {
      const foreign = await foreignUpload(upload)
      if (foreign) return seeOther(c, links.modelImportOne(await pending.begin(foreign)))
      const { version } = await importModel(services, { upload, actor: c.var.actor })
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
    const { maxUploadBytes } = services.config
    const upload = await readUpload(c.req.raw, { maxFileBytes: maxUploadBytes, maxFiles: 1 })
    pending.note(id, saidOf(upload))
    try {
      const image = await imageOf(upload)
      await pending.runTrial(id, { fields: fieldsOf(upload), image, actor: c.var.actor })
      return seeOther(c, links.modelImportOne(id))
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await onePage(c, { problem }), problem.status as 422)
    }
  })
  routes.post('/models/import/:id/save', async (c) => {
    try {
      const { version } = await pending.save(c.req.param('id'), c.var.actor)
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
      conditions: await listConditions(services.db),
      architectures: (await architectureCards()).map(({ name }) => name),
      examples: await exampleProps(services),
      ...shown,
    })
  }

  async function imageOf({ files, fields }: Upload): Promise<Uint8Array> {
    const bytes = files.find((one) => one.field === 'image')?.bytes
    if (bytes) return bytes
    const example = fieldOf(fields, 'example')
    const found = example === undefined ? undefined : await services.examples.find(example)
    if (found) return readFile(found.path)
    throw new AppError('image-required', 'Choose a test image.')
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
    throw new AppError('invalid', 'Choose a preprocessing, or enter a custom one.')
  }
  return {
    ...rest,
    classes: lines.length > 0 ? JSON.stringify(lines) : '',
    preprocessing: scaling === 'own' ? preprocessing : (scaling ?? ''),
  }
}
