// The page of images from an archive: what is on, which condition reads what, and what became of each image.

import { type Context, Hono } from 'hono'
import { archivePage, archivePanel } from '../../../views/dicom/archive.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { links } from '../../../views/shared/links.ts'
import type { Archive } from '../../app/dicom/archive/archive.ts'
import { archiveStatus } from '../../app/dicom/archive/archive-status.ts'
import { suggestedRule } from '../../app/dicom/archive/suggested-rule.ts'
import type { Uses } from '../../app/services.ts'
import { patchArchiveRule } from '../../registry/archive/archive-rules.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf, requiredField } from '../http/image-fields.ts'
import { problemProps, seeOther } from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { parseWith, readForm } from '../http/requests.ts'
import { ArchiveRulePatchSchema } from './schema.ts'

export function archivePages(
  services: Uses<'clock' | 'db'> & { readonly archive: Archive },
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/archive', async (c) =>
    c.html(wantsFragment(c) ? archivePanel(await archiveStatus(services)) : await page(c)),
  )
  routes.post('/archive/rules', async (c) => {
    try {
      const fields = await readForm(c)
      const terms = (name: string) =>
        fieldOf(fields, name)
          ?.split(/[\s,;]+/)
          .filter(Boolean) ?? []
      await patchArchiveRule(services.db, {
        condition: requiredField(fields, 'condition'),
        patch: parseWith(ArchiveRulePatchSchema, {
          enabled: fields.has('enabled'),
          modalities: terms('modalities'),
          bodyParts: terms('bodyParts'),
          unnamedPart: fields.has('unnamedPart'),
        }),
        suggested: suggestedRule,
        actor: c.var.actor,
        clock: services.clock,
      })
      return seeOther(c, links.archive)
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await page(c, problem), problem.status as 422)
    }
  })
  return routes

  async function page(c: Context<AppEnv>, problem?: ProblemProps) {
    return archivePage({ frame: frameOf(c), ...(await archiveStatus(services)), problem })
  }
}
