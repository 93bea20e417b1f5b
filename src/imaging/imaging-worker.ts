// The process that decodes uploads: takes one job after the other from its parent (imaging-pool.ts), nothing else.
// A process and not a thread, because a fault of a native decoder, or memory that it takes, must end here.
import sharp from 'sharp'
import { AppError, messageOf } from '../errors.ts'
import { runJob } from './imaging-job.ts'
import {
  type JobError,
  type JobMessage,
  OUT_OF_MEMORY,
  type ReplyMessage,
} from './imaging-worker-protocol.ts'

const WATCH_EVERY_MS = 50

// Here are only these loaders, whatever the bytes claim to be.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: [
    'VipsForeignLoadJpeg',
    'VipsForeignLoadPng',
    'VipsForeignLoadWebp',
    'VipsForeignLoadTiff',
  ],
})

const maxRssBytes = Number(process.argv[2])
const reply = (message: ReplyMessage) => process.send?.(message)

process.on('message', async ({ id, job }: JobMessage) => {
  const watch = setInterval(() => {
    if (process.memoryUsage.rss() > maxRssBytes) process.exit(OUT_OF_MEMORY)
  }, WATCH_EVERY_MS)
  try {
    reply({ id, result: await runJob(job, (prepared) => reply({ id, prepared })) })
  } catch (error) {
    reply({ id, error: describe(error) })
  } finally {
    clearInterval(watch)
  }
})

function describe(error: unknown): JobError {
  if (!(error instanceof AppError)) {
    return {
      code: 'internal',
      message: 'The image could not be processed.',
      cause: messageOf(error),
    }
  }
  const cause = error.cause === undefined ? undefined : messageOf(error.cause)
  return { code: error.code, message: error.message, cause }
}

// The parent is gone or has closed the channel: there is no one to work for.
process.on('disconnect', () => process.exit(0))
// A Ctrl-C in a terminal reaches the whole group; the parent ends its workers itself.
process.on('SIGINT', () => {})
reply({ ready: true })
