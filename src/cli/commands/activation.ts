// roentgen activate | rollback | history: which version answers, since when, and why.
import { type Command, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { conditionNamed } from '../../package/ids.ts'
import type { Activation } from '../../registry/activation/activations.ts'
import { withApi } from '../api.ts'
import { command, query, wholeNumber } from '../command.ts'
import { printJson, printLine, printTable } from '../output.ts'

interface Options {
  readonly json?: true
  readonly reason?: string
}

interface Expected {
  readonly expected?: string
}

const EXPECTED =
  'refuse unless this activation is the current one (its id is in history --json); none: nothing answers'
const DEFAULT_REASON = 'from the command line'

export function addActivationCommands(program: Command): void {
  command(program, 'activate <version>', {
    does: 'Activate a version after it passes the gate',
    example: 'roentgen activate pneumonia/densenet121-standard@3 --reason "better on our films"',
  })
    .option('--reason <text>', 'reason, stored in the history')
    .addOption(
      new Option(
        '--precision <precision>',
        'for a version with an int8 graph; auto measures both and takes the faster one',
      ).choices(['auto', 'float32', 'int8']),
    )
    .option('--expected <id>', EXPECTED)
    .option('--force', 'override the performance gate; needs --reason')
    .action(activate)

  command(program, 'rollback <condition>', {
    does: 'Roll back to the previous version, or to the one given by --to',
    example: 'roentgen rollback pneumonia --reason "misses small effusions"',
  })
    .option('--to <version>', 'an earlier version instead of the previous one')
    .option('--expected <id>', EXPECTED)
    .option('--reason <text>', 'reason, stored in the history')
    .action(rollback)

  command(program, 'history <condition>', {
    does: 'Show the activations of a condition, newest first',
    example: 'roentgen history pneumonia --at 2026-03-01T12:00:00Z',
  })
    .option('--at <time>', 'only the version active at this time')
    .option('--limit <number>', 'maximum number of lines', wholeNumber(1, 500), 20)
    .action(history)
}

async function activate(
  id: string,
  options: Options & Expected & { force?: true; precision?: string },
): Promise<void> {
  const condition = conditionNamed(id)
  if (options.force && !options.reason) {
    throw new AppError('invalid', 'Overriding the gate requires --reason "…".')
  }
  const body = {
    version: id,
    reason: options.reason ?? DEFAULT_REASON,
    ...(options.force && { force: true }),
    ...(options.precision !== undefined && { precision: options.precision }),
    ...expectedOf(options),
  }
  await change(`/api/v1/conditions/${condition}/activate`, body, options)
}

async function rollback(
  condition: string,
  options: Options & Expected & { to?: string },
): Promise<void> {
  const body = {
    reason: options.reason ?? DEFAULT_REASON,
    ...(options.to !== undefined && { to: options.to }),
    ...expectedOf(options),
  }
  await change(`/api/v1/conditions/${encodeURIComponent(condition)}/rollback`, body, options)
}

/** `none` cannot be an id: those begin with act_. */
function expectedOf({ expected }: Expected): { expected?: string | null } {
  if (expected === undefined) return {}
  return { expected: expected === 'none' ? null : expected }
}

async function change(path: string, body: object, { json }: Options): Promise<void> {
  const activation = await withApi(readConfig(), (api) => api.json<Activation>(path, { body }))
  if (json) return printJson(activation)
  const { condition, version, previous, at, steps, precision } = activation
  const before = previous && previous !== version ? `, before it ${previous}` : ''
  const graph = precision === 'int8' ? ' in int8' : ''
  printLine(`${version} answers${graph} for ${condition} since ${at}${before}.`)
  for (const { name, ok, ms, detail } of steps) {
    printLine(`  ${ok ? 'passed' : 'failed'} ${name} (${Math.round(ms)} ms) ${detail}`.trimEnd())
  }
}

async function history(
  condition: string,
  { json, at, limit }: { json?: true; at?: string; limit: number },
): Promise<void> {
  const path = `/api/v1/conditions/${encodeURIComponent(condition)}/history${query({ at, limit })}`
  const page = await withApi(readConfig(), (api) =>
    api.json<{ items: readonly Activation[]; nextCursor: string | null }>(path),
  )
  if (json) return printJson(page)
  printTable(
    page.items.map((line) => [
      line.at,
      line.outcome,
      line.version,
      line.precision ?? '',
      line.by,
      line.via,
      line.reason,
    ]),
    {
      columns: ['at', 'outcome', 'version', 'precision', 'by', 'via', 'reason'],
      none: at === undefined ? 'No activations yet.' : 'No version was active then.',
    },
  )
  if (page.nextCursor) printLine('More lines exist; raise --limit.')
}
