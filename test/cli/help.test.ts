import assert from 'node:assert/strict'
import test from 'node:test'
import type { Command } from 'commander'
import { buildProgram } from '../../src/cli/program.ts'

/** Commands that do something, with all their words. */
function leaves(command: Command, words: readonly string[] = []): [string, Command][] {
  return command.commands.flatMap((one) => {
    const named = [...words, one.name()]
    return one.commands.length > 0 ? leaves(one, named) : [[named.join(' '), one] as const]
  }) as [string, Command][]
}

function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({
    writeOut: (text) => {
      help += text
    },
  })
  command.outputHelp()
  return help
}

test('the commands are those of the contract that are built', () => {
  assert.deepEqual(
    leaves(buildProgram()).map(([words]) => words),
    [
      'serve',
      'predict',
      'compare',
      'ab',
      'reread',
      'evaluate',
      'condition list',
      'condition create',
      'condition set',
      'versions list',
      'versions show',
      'versions delete',
      'versions undelete',
      'activate',
      'rollback',
      'history',
      'alias list',
      'alias set',
      'alias remove',
      'challenger set',
      'challenger end',
      'challenger show',
      'challenger rule',
      'import',
      'export',
      'verify',
      'convert',
      'keys new',
      'keys list',
      'keys trust',
      'keys revoke',
      'keys sign',
      'backup',
      'restore',
      'dataset scan',
      'dataset prepare',
      'dataset labels',
      'dataset synth',
      'train',
      'weights list',
      'weights fetch',
      'weights import',
      'engine install',
      'doctor',
    ],
  )
})

for (const [words, command] of leaves(buildProgram())) {
  test(`"${words}" has help with an example of itself, and --json`, () => {
    const help = helpOf(command)
    assert.match(help, new RegExp(`Example:\n {2}roentgen ${words}\\b`))
    if (words !== 'serve') assert.match(help, /--json/)
  })
}
