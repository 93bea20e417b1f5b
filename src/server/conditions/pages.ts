// Pages of conditions: which version answers, roll back, activate, settings, and adding a condition.

import { type Context, Hono } from 'hono'
import { conditionListPage } from '../../../views/conditions/list.ts'
import {
  type ConditionPageProps,
  conditionPage,
  conditionPanel,
} from '../../../views/conditions/show.ts'
import type { ProblemProps } from '../../../views/shared/error.ts'
import { timestamp } from '../../../views/shared/format.ts'
import { links } from '../../../views/shared/links.ts'
import { challengeEvidence } from '../../app/conditions/challenge-evidence.ts'
import type { Shadow } from '../../app/diagnosis/shadow.ts'
import type { Uses } from '../../app/services.ts'
import { parseClasses } from '../../conversion/import/foreign-fields.ts'
import { isAppError } from '../../errors.ts'
import { formatVersion } from '../../package/ids.ts'
import { activateVersion } from '../../registry/activation/activate.ts'
import {
  type Activation,
  findActivation,
  listHistory,
} from '../../registry/activation/activations.ts'
import type { ExpectedState } from '../../registry/activation/expected-state.ts'
import { findRollbackTarget, rollbackCondition } from '../../registry/activation/rollback.ts'
import { type Challenger, setChallenger } from '../../registry/challenger/challenger.ts'
import { promoteByRule } from '../../registry/challenger/promote-challenger.ts'
import { findPromotionRule, setPromotionRule } from '../../registry/challenger/promotion-rule.ts'
import { listChanges } from '../../registry/conditions/changes.ts'
import { patchCondition } from '../../registry/conditions/condition-settings.ts'
import {
  type Condition,
  createCondition,
  getCondition,
} from '../../registry/conditions/conditions.ts'
import { listAliases, moveAlias, versionOfCondition } from '../../registry/versions/aliases.ts'
import { inPrecision } from '../../registry/versions/version-precision.ts'
import type { AppEnv } from '../http/app-env.ts'
import { frameOf } from '../http/frame.ts'
import { fieldOf, requiredField } from '../http/image-fields.ts'
import {
  choosableVersions,
  findVersionById,
  listChoices,
  problemProps,
  seeOther,
} from '../http/page-data.ts'
import { wantsFragment } from '../http/problem.ts'
import { conditionOfPath, numberField, parseWith, queryText, readForm } from '../http/requests.ts'
import {
  ActivateSchema,
  ChallengerSchema,
  ConditionPatchSchema,
  NewConditionSchema,
  PromotionRuleSchema,
} from './schema.ts'

type Fields = ReadonlyMap<string, string>

export function conditionPages(
  services: Uses<'clock' | 'db' | 'gate' | 'log' | 'runtime' | 'store' | 'tasks'> & {
    readonly shadow: Shadow
  },
): Hono<AppEnv> {
  const { db, clock } = services
  const named = (condition: string, text: string) => versionOfCondition(db, { condition, text })
  const routes = new Hono<AppEnv>()
  routes.get('/conditions', async (c) =>
    c.html(conditionListPage({ frame: frameOf(c), choices: await listChoices(services) })),
  )
  routes.post('/conditions', async (c) => {
    try {
      const condition = newCondition(await readForm(c))
      const { id } = await createCondition(db, { condition, actor: c.var.actor, clock })
      return seeOther(c, links.condition(id))
    } catch (error) {
      const problem = problemProps(error)
      const choices = await listChoices(services)
      return c.html(
        conditionListPage({ frame: frameOf(c), choices, problem }),
        problem.status as 422,
      )
    }
  })
  routes.get('/conditions/:id', async (c) => {
    const props = await conditionProps(c, {})
    const status = (props.problem?.status ?? 200) as 200
    return c.html(wantsFragment(c) ? conditionPanel(props) : conditionPage(props), status)
  })
  routes.post('/conditions/:id/activate', (c) =>
    changed(c, async (condition, fields) => {
      const version = await named(condition, requiredField(fields, 'version'))
      const reason = requiredField(fields, 'reason')
      const force = fieldOf(fields, 'force') === 'on'
      const { precision } = parseWith(ActivateSchema.pick({ precision: true }), {
        precision: fieldOf(fields, 'precision'),
      })
      const seen = expectedOf(fields)
      const request = { condition, version, reason, force, precision, ...seen, ...c.var.actor }
      await activateVersion(services, request)
      if (fieldOf(fields, 'back') === 'model') return links.version(formatVersion(version))
      return undefined
    }),
  )
  routes.post('/conditions/:id/rollback', (c) =>
    changed(c, async (condition, fields) => {
      const to = fieldOf(fields, 'to')
      await rollbackCondition(services, {
        condition,
        to: to === undefined ? undefined : await named(condition, to),
        reason: fieldOf(fields, 'reason') ?? 'rolled back via web',
        ...expectedOf(fields),
        ...c.var.actor,
      })
      return undefined
    }),
  )
  routes.post('/conditions/:id/challenger', (c) =>
    changed(c, async (condition, fields) => {
      const challenger = fields.has('end') ? null : await challengerOf(condition, fields)
      const seen = expectedOf(fields)
      await setChallenger(services, { condition, challenger, ...seen, actor: c.var.actor })
      return undefined
    }),
  )
  routes.post('/conditions/:id/settings', (c) =>
    changed(c, async (id, fields) => {
      const patch = conditionPatch(fields)
      const reason = fieldOf(fields, 'reason')
      const seen = expectedOf(fields)
      await patchCondition(db, { id, patch, reason, ...seen, actor: c.var.actor, clock })
      return undefined
    }),
  )
  routes.post('/conditions/:id/aliases', (c) =>
    changed(c, async (condition, fields) => {
      const alias = requiredField(fields, 'alias')
      const isRemoval = fields.has('remove')
      const version = isRemoval ? null : await named(condition, requiredField(fields, 'version'))
      const reason = fieldOf(fields, 'reason')
      await moveAlias(db, { condition, alias, version, reason, actor: c.var.actor, clock })
      return undefined
    }),
  )
  routes.post('/conditions/:id/promotion-rule', (c) =>
    changed(c, async (condition, fields) => {
      const { rule } = parseWith(PromotionRuleSchema.pick({ rule: true }), {
        rule: fields.has('off')
          ? null
          : { minCases: numberField(fields, 'minCases'), margin: numberField(fields, 'margin') },
      })
      const reason = requiredField(fields, 'reason')
      await setPromotionRule(db, { condition, rule, reason, actor: c.var.actor, clock })
      services.tasks.run('a promotion by rule', () => promoteByRule(services, condition))
      return undefined
    }),
  )
  return routes

  /** Does it and shows the condition again; a refusal is shown on the same page, with its status. */
  async function changed(
    c: Context<AppEnv>,
    change: (condition: string, fields: Fields) => Promise<string | undefined>,
  ): Promise<Response> {
    const { id } = await getCondition(db, conditionOfPath(c))
    try {
      const next = await change(id, await readForm(c))
      if (!wantsFragment(c)) return seeOther(c, next ?? links.condition(id))
      return c.html(conditionPanel(await conditionProps(c, {})))
    } catch (error) {
      const problem = outOfDate(error) ?? problemProps(error)
      const props = await conditionProps(c, { problem })
      const html = wantsFragment(c) ? conditionPanel(props) : conditionPage(props)
      return c.html(html, problem.status as 409)
    }
  }

  async function challengerOf(condition: string, fields: Fields): Promise<Challenger> {
    const { version, mode, share } = parseWith(ChallengerSchema, {
      version: requiredField(fields, 'version'),
      mode: requiredField(fields, 'mode'),
      share: fieldOf(fields, 'mode') === 'split' ? Number(fieldOf(fields, 'share')) : undefined,
    })
    return { version: await named(condition, version ?? ''), mode: mode ?? 'shadow', share }
  }

  async function conditionProps(c: Context<AppEnv>, shown: { problem?: ProblemProps }) {
    const condition = await getCondition(db, conditionOfPath(c))
    const stored = condition.active && (await findVersionById(services, condition.active.version))
    const line = condition.active && (await findActivation(db, condition.active.activation))
    const precision = line?.precision ?? 'float32'
    // Its figures and thresholds are those of the graph that answers.
    const active = stored && inPrecision(stored, precision)
    const target = await findRollbackTarget(db, condition.id)
    const page = await listHistory(db, { condition: condition.id, cursor: queryText(c, 'cursor') })
    const host = services.runtime
      .status()
      .find((one) => one.id === active?.id && one.role === 'active')
    return {
      frame: frameOf(c),
      condition,
      active: active ?? undefined,
      previous: target && (await findVersionById(services, formatVersion(target))),
      precisions: { active: precision, previous: target?.precision },
      versions: await choosableVersions(services, condition),
      history: page.items,
      nextCursor: page.nextCursor,
      ...(host && { host }),
      evidence:
        condition.challenger && condition.active
          ? await challengeEvidence(services, condition)
          : undefined,
      rule: await findPromotionRule(db, condition.id),
      aliases: await listAliases(db, condition.id),
      changes: await listChanges(db, condition.id),
      ...(await answeredThen(c, condition.id)),
      ...shown,
    }
  }

  /** What answered at the time that is asked for; a time that is none is said on the page itself. */
  async function answeredThen(
    c: Context<AppEnv>,
    condition: string,
  ): Promise<Pick<ConditionPageProps, 'at' | 'problem'>> {
    const time = queryText(c, 'at')
    if (!time) return {}
    try {
      const { items } = await listHistory(db, { condition, at: time })
      return { at: { time, activation: items[0] ?? null } }
    } catch (error) {
      return { problem: problemProps(error) }
    }
  }
}

/** Labels stand one a line, a star before each positive finding. */
function newCondition(fields: Fields) {
  const lines = (fields.get('classes') ?? '').split(/[\r\n]+/).filter((line) => line.trim() !== '')
  const {
    name,
    bodyPart = '',
    ...given
  } = parseWith(NewConditionSchema, {
    id: requiredField(fields, 'id'),
    name: fieldOf(fields, 'name'),
    bodyPart: fieldOf(fields, 'bodyPart'),
    kind: fieldOf(fields, 'kind'),
    classes: parseClasses(JSON.stringify(lines)),
  })
  const { id, kind, classes } = given
  return { id, kind, classes, name: name ?? id, bodyPart }
}

/** The activation that the form was drawn with; a page without the field, as programs send, is not checked. */
function expectedOf(fields: Fields): { expected: ExpectedState } {
  const seen = fields.get('expected')
  return { expected: seen === '' ? null : seen }
}

/** The form was of a state that is gone; what is shown with this is the present one. */
function outOfDate(error: unknown): ProblemProps | undefined {
  if (!isAppError(error) || error.code !== 'state-changed') return undefined
  const { condition, current } = error.extra as { condition: Condition; current: Activation | null }
  const change = current
    ? `${condition.name} was changed to ${current.version} by ${current.by} at ${timestamp(current.at)}`
    : `no version answers for ${condition.name} any more`
  return {
    ...problemProps(error),
    title: 'This page is out of date',
    detail: `Since it was opened, ${change}. Nothing was done. The present state is shown below.`,
  }
}

function conditionPatch(fields: Fields) {
  const metric = fieldOf(fields, 'metric')
  const margin = fieldOf(fields, 'margin')
  const gate = {
    ...(metric !== undefined && { metric }),
    ...(margin !== undefined && { margin: Number(margin) }),
  }
  return parseWith(ConditionPatchSchema, {
    name: fieldOf(fields, 'name'),
    bodyPart: fields.get('bodyPart'),
    policy: fieldOf(fields, 'policy'),
    ...(Object.keys(gate).length > 0 && { gate }),
    ...(fields.has('operatingPoint') && {
      operatingPoint: fieldOf(fields, 'operatingPoint') ?? null,
    }),
  })
}
