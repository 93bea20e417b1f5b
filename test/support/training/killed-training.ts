// A training in its real process, killed with SIGKILL at drawn moments and gone on with, and what came out of it as digests.
import { createHash } from 'node:crypto'
import { existsSync, watch } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { uniformAt } from '../../../src/engine/random/counter-random.ts'
import type { TrainingJob, TrainingMessage, TrainingSummary } from '../../../src/training/job.ts'
import { readCheckpoint } from '../../../src/training/loop/checkpoint.ts'
import { TrainingProcess } from '../../../src/training/training-process.ts'

const CHECKPOINT = 'checkpoint.bin'
const SETTING = 'ROENTGEN_CHECKPOINT_SECONDS'

export interface KilledTraining {
  readonly kills: number
  /** Kills that left a half-written checkpoint behind. */
  readonly inWriting: number
  /** What the attempts said that they went on from. */
  readonly resumed: readonly Extract<TrainingMessage, { type: 'resumed' }>[]
  readonly logs: readonly string[]
  readonly summary: TrainingSummary
}

/** Kills `kills` times, at moments that follow from the seed, then lets it end. */
export async function trainWithKills(
  job: Omit<TrainingJob, 'resume'>,
  { kills, seed }: { readonly kills: number; readonly seed: number },
): Promise<KilledTraining> {
  const { workDir } = job
  await mkdir(workDir, { recursive: true })
  const resumed: Extract<TrainingMessage, { type: 'resumed' }>[] = []
  const logs: string[] = []
  let inWriting = 0
  for (let attempt = 1; attempt <= kills; attempt++) {
    const draw = (purpose: number) => uniformAt(seed, attempt, purpose)
    // A checkpoint after each batch, or each second.
    process.env[SETTING] = draw(1) < 0.7 ? '0' : '1'
    const isWritingKill = draw(2) < 0.5
    const batches = 1 + Math.floor(draw(3) * 4)
    let seen = 0
    const moment = Promise.withResolvers<void>()
    const watcher = watch(workDir, (_, file) => {
      if (isWritingKill && file === `${CHECKPOINT}.part` && seen >= batches) moment.resolve()
    })
    const training = new TrainingProcess(
      { ...job, resume: attempt > 1 },
      {
        onMessage: (message) => {
          if (message.type === 'resumed') resumed.push(message)
          if (message.type === 'log') logs.push(message.text)
          if (message.type === 'batch') seen += 1
          if (message.type === 'batch' && !isWritingKill && seen >= batches) moment.resolve()
        },
      },
    )
    const ended = training.result.then(
      () => 'finished' as const,
      () => 'killed' as const,
    )
    await Promise.race([moment.promise, ended])
    if (!isWritingKill) await after(draw(4) * 60)
    training.kill()
    const outcome = await ended
    watcher.close()
    if (outcome === 'finished') throw new Error(`it ended before kill ${attempt} of ${kills}`)
    if (existsSync(join(workDir, `${CHECKPOINT}.part`))) inWriting += 1
  }
  process.env[SETTING] = '120'
  const training = new TrainingProcess(
    { ...job, resume: kills > 0 },
    {
      onMessage: (message) => {
        if (message.type === 'resumed') resumed.push(message)
      },
    },
  )
  const summary = await training.result
  return { kills, inWriting, resumed, logs, summary }
}

/** SHA-256 of everything that must not depend on interruptions; times are left out. */
export async function digestsOf({ workDir, packageDir }: TrainingJob) {
  const checkpoint = await readCheckpoint(join(workDir, CHECKPOINT))
  const { epoch, progress, weights, bestWeights, optimizer } = checkpoint
  const history = checkpoint.history.map(({ seconds: _, imagesPerSecond: __, ...rest }) => rest)
  return {
    weights: digest([...weights]),
    bestWeights: digest([...bestWeights]),
    optimizer: digest([['step', optimizer.step], ...Object.entries(optimizer.slots)]),
    history: digest([['history', JSON.stringify([epoch, progress, history])]]),
    saved: createHash('sha256')
      .update(await readFile(join(packageDir, 'models/tfjs/weights.bin')))
      .digest('hex'),
  }
}

function digest(parts: readonly (readonly [string, Float32Array | string | number])[]): string {
  const hash = createHash('sha256')
  for (const [name, value] of parts) {
    hash.update(`${name}\n`)
    hash.update(
      value instanceof Float32Array
        ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
        : `${value}\n`,
    )
  }
  return hash.digest('hex')
}
