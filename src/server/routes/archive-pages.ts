// The page of images from an archive: what is on, which condition reads what, and what became of each image.
import { type Context, Hono } from 'hono'
import { archivePage, archivePanel } from '../../../views/archive.ts'
import type { ProblemProps } from '../../../views/error.ts'
import { links } from '../../../views/links.ts'
import { patchArchiveRule } from '../../registry/archive/archive-rules.ts'
import { ArchiveRulePatchSchema } from '../api-schemas-archive.ts'
import type { AppEnv } from '../app-env.ts'
import { archiveStatus } from '../archive/archive-status.ts'
import { suggestedRule } from '../archive/suggested-rule.ts'
import { frameOf } from '../frame.ts'
import type { Home } from '../home.ts'
import { fieldOf, requiredField } from '../image-fields.ts'
import { problemProps, seeOther } from '../page-data.ts'
import { wantsFragment } from '../problem.ts'
import { parseWith, readForm } from '../requests.ts'

export function archivePages(home: Home): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/archive', async (c) =>
    c.html(wantsFragment(c) ? archivePanel(await archiveStatus(home)) : await page(c)),
  )
  routes.post('/archive/rules', async (c) => {
    try {
      const fields = await readForm(c)
      const terms = (name: string) =>
        fieldOf(fields, name)
          ?.split(/[\s,;]+/)
          .filter(Boolean) ?? []
      await patchArchiveRule(home.db, {
        condition: requiredField(fields, 'condition'),
        patch: parseWith(ArchiveRulePatchSchema, {
          enabled: fields.has('enabled'),
          modalities: terms('modalities'),
          bodyParts: terms('bodyParts'),
          unnamedPart: fields.has('unnamedPart'),
        }),
        suggested: suggestedRule,
        actor: c.var.actor,
        clock: home.clock,
      })
      return seeOther(c, links.archive)
    } catch (error) {
      const problem = problemProps(error)
      return c.html(await page(c, problem), problem.status as 422)
    }
  })
  return routes

  async function page(c: Context<AppEnv>, problem?: ProblemProps) {
    return archivePage({ frame: frameOf(c), ...(await archiveStatus(home)), problem })
  }
}
