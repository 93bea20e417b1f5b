// roentgen serve: the server, in this process, until it is told to stop.
import type { Command } from 'commander'
import { readConfigWith, type SettingName } from '../../config.ts'
import { wholeNumber } from '../command.ts'

interface Options {
  readonly port?: number
  readonly host?: string
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description(
      'Serve pages and API until Ctrl-C. Settings come from the environment; see docs/reference/settings.md.',
    )
    .option('--port <number>', 'TCP port, instead of PORT', wholeNumber(0, 65535))
    .option('--host <address>', 'address to listen on, instead of HOST')
    .addHelpText('after', '\nExample:\n  roentgen serve --port 8080')
    .action(async (options: Options) => {
      const config = readConfigWith(overrides(options))
      const { serve } = await import('../../server/main.ts')
      await serve(config)
    })
}

function overrides(options: Options): Partial<Record<SettingName, string>> {
  const { port, host } = options
  return {
    ...(port !== undefined && { PORT: String(port) }),
    ...(host !== undefined && { HOST: host }),
  }
}
