// What a job is on paper, and what its store must be able to do. Small on purpose: another database takes the place of
// SQLite by doing these things. Running jobs, their kinds and their rules are src/app/jobs.
import type { Page } from '../cursor.ts'
import type { Actor } from '../home/registry-context.ts'

export const JOB_STATES = [
  'queued',
  'running',
  'paused',
  'interrupted',
  'cancelled',
  'failed',
  'finished',
] as const
export type JobState = (typeof JOB_STATES)[number]

/** States that nothing follows; an interrupted job may be over too, see `endedAt`. */
export const ENDED_STATES: readonly JobState[] = ['cancelled', 'failed', 'finished']

export interface JobSubject {
  readonly type:
    | 'version'
    | 'dataset'
    | 'condition'
    | 'comparison'
    | 'image'
    | 'notification-target'
    | 'model-file'
  readonly id: string
}

export interface Job extends Actor {
  readonly id: string
  readonly kind: string
  readonly state: JobState
  /** Why it is in this state, where that is not plain. */
  readonly reason: string | null
  readonly progress: { readonly done: number; readonly total: number } | null
  /** How often it was begun. */
  readonly attempt: number
  readonly subject: JobSubject | null
  /** What another attempt needs; null for a kind that keeps nothing. */
  readonly input: unknown
  /** ISO 8601; not begun before. */
  readonly dueAt: string
  readonly createdAt: string
  readonly startedAt: string | null
  /** Nothing follows; null also for an interrupted job that can be resumed. */
  readonly endedAt: string | null
}

export type NewJob = Pick<Job, 'id' | 'kind' | 'subject' | 'input' | 'dueAt' | 'by' | 'via'> & {
  readonly at: string
  readonly progress?: Job['progress']
}

export interface JobFilter {
  readonly kind?: string | undefined
  readonly state?: JobState | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface JobEvent {
  /** From 1, without gaps, within a job. */
  readonly seq: number
  /** `state`, `log`, or what the kind adds. */
  readonly type: string
  readonly data: unknown
  readonly at: string
}

/** What is left out stays as it is. */
export type JobChange = Partial<Pick<Job, 'reason' | 'progress' | 'attempt' | 'dueAt' | 'endedAt'>>

export interface Transition extends JobChange {
  readonly state: JobState
  readonly at: string
  /** Only out of these states; else nothing happens. */
  readonly from: readonly JobState[]
  /** More about the change, for the event of type `state`. */
  readonly detail?: object
}

export interface Moved {
  readonly job: Job
  /** Written in the same transaction. */
  readonly event: JobEvent
}

export interface JobStore {
  /** Queued, in this order; all of them or none. */
  add(jobs: readonly NewJob[]): Promise<Moved[]>
  find(id: string): Promise<Job | undefined>
  /** Newest first. @throws AppError `invalid` */
  list(filter: JobFilter): Promise<Page<Job>>
  /** In any of the states, oldest first. */
  inState(states: readonly JobState[], kinds?: readonly string[]): Promise<Job[]>
  /** The newest job of a kind about something. */
  newest(kinds: readonly string[], subject: JobSubject): Promise<Job | undefined>
  /** The queued one that is due longest becomes `running`, its attempt one more. Given to one caller only. */
  claim(o: {
    readonly kinds: readonly string[]
    readonly at: string
    /** Only one of these. */
    readonly ids?: readonly string[] | undefined
  }): Promise<Moved | undefined>
  /** When the first queued job of these kinds becomes due. */
  nextDueAt(kinds: readonly string[]): Promise<string | undefined>
  /** State and event together; undefined when it is in none of the states `from`. */
  move(id: string, transition: Transition): Promise<Moved | undefined>
  /** Without an event. */
  note(id: string, change: JobChange): Promise<void>
  addEvent(event: Omit<JobEvent, 'seq'> & { readonly job: string }): Promise<JobEvent>
  /** Those behind `after`, oldest first. */
  events(o: { readonly job: string; readonly after: number }): Promise<JobEvent[]>
  /** Its events go with it. */
  remove(id: string): Promise<void>
  /** Those of a kind that ended before, with their events; how many. */
  removeEnded(o: { readonly kind: string; readonly before: string }): Promise<number>
}
