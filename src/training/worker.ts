// The training process: takes one job from its parent, reports, and ends. Forked by training-process.ts at the lowest
// priority; when the parent goes away it cancels itself.
import { isAppError, messageOf } from '../errors.ts'
import type { TrainingCommand, TrainingJob, TrainingMessage } from './job.ts'
import type { Control } from './loop/train.ts'
import { runJob } from './run-job.ts'

const control: Control = { wish: 'go on' }

function report(message: TrainingMessage): void {
  if (process.connected) process.send?.(message)
}

async function work(job: TrainingJob): Promise<void> {
  try {
    report({ type: 'finished', summary: await runJob(job, { control, report }) })
  } catch (error) {
    if (isAppError(error)) report({ type: 'failed', code: error.code, message: error.message })
    else {
      console.error(error)
      const message = `The training process met an unexpected error: ${messageOf(error)}`
      report({ type: 'failed', code: 'internal', message })
    }
    process.exitCode = 1
  } finally {
    if (process.connected) process.disconnect()
  }
}

process.on('message', (command: TrainingCommand) => {
  if (command.type === 'start') void work(command.job)
  else control.wish = command.type
})
process.on('disconnect', () => {
  control.wish = 'cancel'
})
// Ctrl-C in a terminal reaches the whole group; the parent says what shall become of the training.
process.on('SIGINT', () => {})
