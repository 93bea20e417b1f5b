// roentgen alias list | set | remove: names that point at versions.
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import type { Alias } from '../../registry/versions/aliases.ts'
import { withApi } from '../api.ts'
import { command } from '../command.ts'
import { parseAlias } from '../named-version.ts'
import { printJson, printTable } from '../output.ts'

interface Options {
  readonly json?: true
  readonly reason?: string
}

interface Aliases {
  readonly items: readonly Alias[]
}

export function addAliasCommands(program: Command): void {
  const group = program
    .command('alias')
    .description('Names for versions, as pneumonia@champion: list, set or remove them')
    .helpCommand(false)

  command(group, 'list <condition>', {
    does: 'List the aliases of a condition',
    example: 'roentgen alias list pneumonia',
  }).action(async (condition: string, { json }: Options) => {
    const found = await withApi(readConfig(), (api) => api.json<Aliases>(pathOf(condition)))
    print(condition, found, json)
  })

  command(group, 'set <alias> <version>', {
    does: 'Set an alias to a verified version, replacing any earlier target',
    example:
      'roentgen alias set pneumonia@champion pneumonia/densenet121-standard@3 --reason "won"',
  })
    .option('--reason <text>', 'reason, stored in the history')
    .action((alias: string, version: string, options: Options) => move(alias, version, options))

  command(group, 'remove <alias>', {
    does: 'Remove an alias',
    example: 'roentgen alias remove pneumonia@candidate',
  })
    .option('--reason <text>', 'reason, stored in the history')
    .action((alias: string, options: Options) => move(alias, null, options))
}

async function move(text: string, version: string | null, options: Options): Promise<void> {
  const { condition, alias } = parseAlias(text)
  const { json, reason } = options
  const body = { alias, version, ...(reason !== undefined && { reason }) }
  const found = await withApi(readConfig(), (api) => api.json<Aliases>(pathOf(condition), { body }))
  print(condition, found, json)
}

function pathOf(condition: string): string {
  return `/api/v1/conditions/${encodeURIComponent(condition)}/aliases`
}

function print(condition: string, found: Aliases, json: true | undefined): void {
  if (json) {
    printJson(found)
    return
  }
  printTable(
    found.items.map(({ alias, version }) => [`${condition}@${alias}`, version]),
    { columns: ['alias', 'version'], none: 'No aliases.' },
  )
}
