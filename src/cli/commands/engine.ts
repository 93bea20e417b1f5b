// roentgen engine install: the optional native library for training on a GPU.
import { Argument, type Command } from 'commander'
import { readConfig } from '../../config.ts'
import { chooseEngine } from '../../engine/native/choose-engine.ts'
import { findLibrary } from '../../engine/native/find-library.ts'
import { installLibrary } from '../../engine/native/install-library.ts'
import { command, wholeNumber } from '../command.ts'
import { printJson, printLine } from '../output.ts'

interface Options {
  readonly json?: true
  readonly timeout: number
}

const DEFAULT_MINUTES = 15
const MS_PER_MINUTE = 60_000

export function addEngineCommand(program: Command): void {
  const engine = program
    .command('engine')
    .description('Compute engines: ONNX Runtime, and TensorFlow if installed')
  command(engine, 'install', {
    does: "Fetch TensorFlow's native library (several hundred MB), to train on a GPU",
    example: 'roentgen engine install tensorflow',
  })
    .addArgument(new Argument('<engine>', 'engine').choices(['tensorflow']))
    .option('--timeout <minutes>', 'timeout', wholeNumber(1, 24 * 60), DEFAULT_MINUTES)
    .action(install)
}

async function install(_engine: string, options: Options): Promise<void> {
  const { tensorflowDir } = readConfig()
  const before = findLibrary(tensorflowDir)
  const library = before?.isComplete ? before : await fetched(tensorflowDir, options)
  // It must also load: the reason why it would not is thrown.
  const { reason } = await chooseEngine({ engine: 'tensorflow', tensorflowDir })
  const auto = await chooseEngine({ engine: 'auto', tensorflowDir })
  if (options.json) {
    return printJson({ name: library.name, version: library.version, auto: auto.engine })
  }
  printLine(
    `${before?.isComplete ? 'Already installed' : 'Installed'}: ${reason.replace(/^.*; /, '')}.`,
  )
  printLine(`ROENTGEN_ENGINE=auto trains with ${auto.engine}: ${auto.reason}.`)
}

/** Ctrl-C ends the script with everything that it started. */
async function fetched(from: string | undefined, { json, timeout }: Options) {
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort()
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  if (!json) printLine('Fetching TensorFlow’s library, several hundred MB …')
  try {
    return await installLibrary({
      ...(from !== undefined && { from }),
      timeoutMs: timeout * MS_PER_MINUTE,
      signal: interrupted.signal,
    })
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}
