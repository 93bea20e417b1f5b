// Start and end of the command: hands the words to program.ts, turns an error into one line and the exit status.
import { CommanderError } from 'commander'
import { isAppError, messageOf } from '../errors.ts'
import { printable } from './output.ts'
import { buildProgram } from './program.ts'

/** Usage errors end with 2, everything else that fails with 1. */
async function main(): Promise<number> {
  try {
    await buildProgram().parseAsync(process.argv)
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has already said its line, or it was --help or --version.
      return error.exitCode === 0 ? 0 : 2
    }
    const sentence = isAppError(error) ? error.message : `Unexpected: ${messageOf(error)}`
    process.stderr.write(`roentgen: ${printable(sentence)}\n`)
    return 1
  }
}

// A reader that has seen enough, as in `roentgen history x | head -1`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
// Started by bin/roentgen under another Node: when that one is gone, end as if it had been asked to.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()

process.exitCode = await main()
