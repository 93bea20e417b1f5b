// What the API says about jobs.
import { z } from 'zod'
import { JOB_STATES } from '../../registry/jobs/job-store.ts'
import { choiceOf, pageOf, paging } from '../operations/shared-schemas.ts'

export const JobSchema = z
  .object({
    id: z.string(),
    kind: z.string().describe('evaluation, comparison, batch, …; see GET /api/v1/jobs'),
    state: z.enum(JOB_STATES),
    reason: z.string().nullable().describe('why it is in this state, where that is not plain'),
    progress: z
      .strictObject({ done: z.int().min(0), total: z.int().min(0), unit: z.string() })
      .nullable(),
    owner: z.string().describe('who asked for it'),
    attempt: z.int().min(0).describe('how often it was begun'),
    subject: z
      .strictObject({ type: z.string(), id: z.string() })
      .nullable()
      .describe('what it is about'),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso
      .datetime()
      .nullable()
      .describe('nothing follows; null also for an interrupted job that can be resumed'),
    links: z.object({
      self: z.string(),
      events: z.string(),
      cancel: z
        .string()
        .nullable()
        .describe('null when it cannot be cancelled any more, or at all'),
      page: z.string().nullable().describe('the page that shows it'),
    }),
  })
  .meta({ id: 'Job' })

export const JobPageSchema = pageOf(JobSchema)

export const JobQuery = z.object({
  state: choiceOf(JOB_STATES).optional().describe('only in this state'),
  ...paging,
})

export const JobEventsQuery = z.object({
  lastEventId: z.string().optional().describe('the same as the header Last-Event-ID'),
})
