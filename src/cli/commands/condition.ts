// roentgen condition list | create | set
import { type Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { ClassLabel } from '../../package/schema.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { withApi } from '../api.ts'
import { command, fraction } from '../command.ts'
import { printFields, printJson, printTable } from '../output.ts'

interface Settings {
  readonly json?: true
  readonly name?: string
  readonly bodyPart?: string
  readonly classes?: string
  readonly kind?: string
  readonly policy?: string
  readonly gateMetric?: string
  readonly gateMargin?: number
  readonly operatingPoint?: string
  readonly reason?: string
}

export function addConditionCommands(program: Command): void {
  const group = program
    .command('condition')
    .description('Conditions: list, create or change')
    .helpCommand(false)

  command(group, 'list', {
    does: 'List the conditions and their active versions',
    example: 'roentgen condition list',
  }).action(list)

  withSettings(
    command(group, 'create <id>', {
      does: 'Create a condition; mark positive findings with * in the classes',
      example:
        'roentgen condition create hip-fracture --name "Hip fracture" --body-part hip --classes "NORMAL,*FRACTURE"',
    }).addOption(
      new Option(
        '--kind <kind>',
        'binary, single-label or multi-label; binary for two classes',
      ).choices(['binary', 'single-label', 'multi-label']),
    ),
  ).action(create)

  withSettings(
    command(group, 'set <id>', {
      does: 'Change a condition; its classes only while it has no version',
      example:
        'roentgen condition set pneumonia --policy follow --gate-metric auc --gate-margin 0.02',
    })
      .option(
        '--operating-point <name>',
        'operating point in use; "default" uses that of each version',
      )
      .option('--reason <text>', 'reason, stored with each change'),
  ).action(set)
}

function withSettings(one: Command): Command {
  return one
    .option('--name <text>', 'display name')
    .option('--body-part <text>', 'e.g. chest')
    .option('--classes <list>', 'labels separated by commas, positive findings marked with *')
    .addOption(
      new Option(
        '--policy <policy>',
        'pinned: manual; follow: newest version passing the gate',
      ).choices(['pinned', 'follow']),
    )
    .option('--gate-metric <metric>', 'metric a new version is compared by, e.g. auc')
    .option('--gate-margin <share>', 'allowed drop, 0 to 1', fraction)
}

async function list({ json }: Settings): Promise<void> {
  const conditions = await withApi(readConfig(), (api) =>
    api.json<Condition[]>('/api/v1/conditions'),
  )
  if (json) return printJson(conditions)
  printTable(
    conditions.map(({ id, name, kind, active, policy, versions }) => {
      const state = active?.state === 'damaged' ? ' (damaged)' : ''
      return [id, name, kind, active ? active.version + state : '-', policy, versions]
    }),
    {
      columns: ['condition', 'name', 'kind', 'active', 'policy', 'versions'],
      none: 'There are no conditions yet.',
    },
  )
}

async function create(id: string, settings: Settings): Promise<void> {
  if (settings.classes === undefined) {
    throw new AppError('invalid', 'Specify the classes, e.g. --classes "NORMAL,*FRACTURE".')
  }
  const classes = await classesOf(settings.classes)
  const kind = settings.kind ?? (classes.length === 2 ? 'binary' : 'single-label')
  const { gate, ...rest } = await patchOf(settings)
  if (gate && !(gate.metric && gate.margin !== undefined)) {
    throw new AppError('invalid', 'Give --gate-metric and --gate-margin together.')
  }
  const body = { ...rest, ...(gate && { gate }), id, kind, classes }
  const condition = await withApi(readConfig(), (api) =>
    api.json<Condition>('/api/v1/conditions', { body }),
  )
  print(condition, settings)
}

async function set(id: string, settings: Settings): Promise<void> {
  const patch = await patchOf(settings)
  if (Object.keys(patch).length === 0) {
    throw new AppError('invalid', 'Specify what to change; see --help.')
  }
  const { reason } = settings
  const body = { ...patch, ...(reason !== undefined && { reason }) }
  const condition = await withApi(readConfig(), (api) =>
    api.json<Condition>(`/api/v1/conditions/${encodeURIComponent(id)}`, { method: 'PATCH', body }),
  )
  print(condition, settings)
}

async function classesOf(text: string): Promise<readonly ClassLabel[]> {
  const { parseClasses } = await import('../../conversion/import/foreign-fields.ts')
  return parseClasses(text)
}

/** Only what was given. */
async function patchOf(settings: Settings) {
  const { name, bodyPart, policy, gateMetric, gateMargin, operatingPoint } = settings
  const gate = {
    ...(gateMetric !== undefined && { metric: gateMetric }),
    ...(gateMargin !== undefined && { margin: gateMargin }),
  }
  return {
    ...(name !== undefined && { name }),
    ...(bodyPart !== undefined && { bodyPart }),
    ...(settings.classes !== undefined && { classes: await classesOf(settings.classes) }),
    ...(policy !== undefined && { policy }),
    ...(Object.keys(gate).length > 0 && { gate }),
    ...(operatingPoint !== undefined && {
      operatingPoint: operatingPoint === 'default' ? null : operatingPoint,
    }),
  }
}

function print(condition: Condition, { json }: Settings): void {
  if (json) {
    printJson(condition)
    return
  }
  const { classes, gate, active } = condition
  printFields({
    condition: condition.id,
    name: condition.name,
    'body part': condition.bodyPart || null,
    kind: condition.kind,
    classes: classes.map(({ label, positive }) => (positive ? `*${label}` : label)).join(', '),
    policy: condition.policy,
    gate: `${gate.metric}, at most ${gate.margin} worse`,
    'operating point': condition.operatingPoint,
    active: active?.version ?? 'none yet',
  })
}
