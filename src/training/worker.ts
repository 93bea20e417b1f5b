// The training process: takes one job from its parent, reports, and ends. Forked by training-process.ts at the lowest
// priority; when the parent goes away it ends.
import { readConfig } from '../config.ts'
import { chooseEngine, type EngineName } from '../engine/native/choose-engine.ts'
import { isAppError, messageOf } from '../errors.ts'
import type { TrainingCommand, TrainingJob, TrainingMessage } from './job.ts'
import type { Control } from './loop/control.ts'
import { runJob } from './run-job.ts'

const control: Control = { wish: 'go on' }
let ended = false

function report(message: TrainingMessage): void {
  if (process.connected) process.send?.(message)
}

/** Loads what ROENTGEN_ENGINE chooses, and says so. @throws AppError `unavailable` */
async function startEngine(): Promise<EngineName> {
  const { engine, reason, library } = await chooseEngine(readConfig())
  if (library) {
    const { loadLibrary } = await import('../engine/native/load-library.ts')
    loadLibrary(library)
  }
  const name = engine === 'onnx' ? 'ONNX Runtime' : 'TensorFlow'
  report({ type: 'log', text: `computing with ${name}: ${reason}` })
  return engine
}

async function work(job: TrainingJob): Promise<void> {
  try {
    const engine = await startEngine()
    const { checkpointSeconds, thermal } = readConfig()
    const context = { control, report, engine, checkpointSeconds, thermal }
    report({ type: 'finished', summary: await runJob(job, context) })
  } catch (error) {
    if (isAppError(error)) report({ type: 'failed', code: error.code, message: error.message })
    else {
      console.error(error)
      const message = `Unexpected error in the training process: ${messageOf(error)}`
      report({ type: 'failed', code: 'internal', message })
    }
    process.exitCode = 1
  } finally {
    ended = true
    if (process.connected) process.disconnect()
  }
}

process.on('message', (command: TrainingCommand) => {
  if (command.type === 'start') void work(command.job)
  else control.wish = command.type
})
// Killed or gone: nobody waits for a package any more, and whoever goes on from the checkpoint shall be alone with it.
process.on('disconnect', () => {
  if (!ended) process.exit(1)
})
// Ctrl-C in a terminal reaches the whole group; the parent says what shall become of the training.
process.on('SIGINT', () => {})
