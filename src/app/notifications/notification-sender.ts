// Tells targets what has ended: looks for what was not told yet and makes each message a job, which is tried again with
// growing waits. What it knows is in the database, so that neither a restart nor a kill loses a message.

import { links } from '../../../views/shared/links.ts'
import type { Config } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import type { Clock } from '../../registry/home/registry-context.ts'
import {
  findUntoldComparisons,
  findUntoldRuns,
  getDelivery,
  listWaiting,
  type Message,
  writeMessage,
} from '../../registry/notifications/notification-deliveries.ts'
import {
  changeTarget,
  getTarget,
  getTargetSecret,
  listTargets,
  type NotificationTarget,
  type TargetChange,
} from '../../registry/notifications/notification-targets.ts'
import { getPairedJob } from '../../registry/paired/paired-jobs.ts'
import { getRun } from '../../registry/runs/runs.ts'
import type { Db } from '../../registry/schema/database.ts'
import { findVersion } from '../../registry/versions/versions.ts'
import { type JobKind, TryLater } from '../jobs/job-kind.ts'
import type { JobQueue } from '../jobs/job-queue.ts'
import type { Log } from '../log.ts'
import { comparisonMessage, runMessage, testMessage } from './messages.ts'
import { sendMail } from './send-mail.ts'
import { type Sent, sendWebhook } from './send-webhook.ts'
import { discordBody, type Envelope, genericBody, mailOf, slackBody } from './shapes.ts'

const LOOK_EVERY_MS = 3000
/** After the first try, the second, …; then it is given up. */
const WAITS_SECONDS = [10, 60, 600, 3600, 6 * 3600]
const KIND = 'notification'
/** Far ends have shorter limits of their own. */
const TIME_LIMIT_MS = 5 * 60_000

export interface SenderOptions {
  readonly db: Db
  readonly clock: Clock
  readonly jobs: JobQueue
  readonly log: Log
  readonly config: Pick<Config, 'host' | 'port' | 'notifications'>
}

export class NotificationSender {
  readonly #o: SenderOptions
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #stopped = false

  constructor(options: SenderOptions) {
    this.#o = options
    options.jobs.kinds.add(this.#kind())
  }

  start(): void {
    if (this.#timer || this.#stopped) return
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Waits for what is on its way. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#round
  }

  /** One look: what ended becomes a job for each target that wants to know. Looks do not overlap. Never rejects. */
  look(): Promise<void> {
    this.#round ??= this.#look()
      .catch((error: unknown) => {
        if (!this.#stopped)
          this.#o.log.error({ err: error }, 'notifications could not be looked at')
      })
      .finally(() => {
        this.#round = undefined
      })
    return this.#round
  }

  /** Sends a test at once. @throws AppError `not-found`, `unavailable` with what the far end said */
  async test(id: string): Promise<string> {
    const { db, clock } = this.#o
    const target = await getTarget(db, id)
    const at = clock().toISOString()
    const message = testMessage(target.name, at)
    const { ok, detail } = await this.#send(target, { id: `test-${Date.parse(at)}`, message })
    if (ok) return detail
    throw new AppError('unavailable', `The test was not delivered. ${detail}`)
  }

  /** What waits for a target that is switched off is held back until it is switched on. @throws AppError `not-found` */
  async change(id: string, change: TargetChange): Promise<NotificationTarget> {
    const { db, jobs } = this.#o
    const target = await changeTarget(db, { id, change })
    for (const waiting of await listWaiting(db, id)) {
      if (target.enabled) {
        await jobs.change(waiting, { state: 'queued', reason: null, from: ['paused'] })
      } else {
        const reason = 'The notification is switched off.'
        await jobs.change(waiting, { state: 'paused', reason, from: ['queued'] })
      }
    }
    return target
  }

  async #look(): Promise<void> {
    const targets = (await listTargets(this.#o.db)).filter(({ enabled }) => enabled)
    for (const target of targets) await this.#queueEnded(target)
  }

  async #queueEnded(target: NotificationTarget): Promise<void> {
    const { db, clock } = this.#o
    const at = clock().toISOString()
    for (const id of await findUntoldRuns(db, target)) {
      const run = await getRun(db, id)
      const version =
        run.version === null ? undefined : await findVersion(db, parseVersion(run.version))
      await this.#queue(target, { subject: id, message: runMessage(run, { version, at }) })
    }
    for (const id of await findUntoldComparisons(db, target)) {
      const message = comparisonMessage(await getPairedJob(db, id), { at })
      await this.#queue(target, { subject: id, message })
    }
  }

  async #queue(
    { id: target, by }: NotificationTarget,
    o: { readonly subject: string; readonly message: Message },
  ): Promise<void> {
    const { db, jobs } = this.#o
    const id = await writeMessage(db, { target, ...o })
    if (id === undefined) return
    const subject = { type: 'notification-target', id: target } as const
    await jobs.add(KIND, { id, input: {}, subject, actor: { by, via: 'policy' } })
  }

  #kind(): JobKind {
    return {
      name: KIND,
      title: 'Notification',
      unit: 'messages',
      // Sent again under the same id, by which the far end knows it.
      afterRestart: 'again',
      isCancellable: true,
      lane: KIND,
      // One that does not answer keeps nothing from the others.
      width: 4,
      maxAttempts: WAITS_SECONDS.length + 1,
      retryWaitMs: (attempt) => {
        const seconds = WAITS_SECONDS[attempt - 1]
        return seconds === undefined ? undefined : seconds * 1000
      },
      timeLimitMs: TIME_LIMIT_MS,
      stallLimitMs: null,
      // Listed with its target.
      keepMs: null,
      keepsInput: true,
      page: () => links.notifications,
      run: async ({ id }) => {
        const { db, log } = this.#o
        const delivery = await getDelivery(db, id)
        const target = await getTarget(db, delivery.target)
        if (!target.enabled) throw new TryLater('The notification is switched off.')
        const { ok, mayRetry, detail } = await this.#send(target, delivery)
        if (ok) return { reason: detail }
        log.warn({ target: target.name, detail }, 'a notification did not arrive')
        if (mayRetry) throw new TryLater(detail)
        throw new AppError('unavailable', detail)
      },
    }
  }

  async #send(
    target: NotificationTarget,
    { id, message }: Pick<Envelope, 'id' | 'message'>,
  ): Promise<Sent> {
    const { db, clock, config } = this.#o
    const { allowsPrivate, mailServer } = config.notifications
    // A port of 0 is a free one, which only the listening server knows: then there is no link.
    const own = config.port === 0 ? undefined : `http://${config.host}:${config.port}`
    const envelope = { id, message, origin: config.notifications.origin ?? own }
    if (target.kind === 'email') {
      return sendMail({ to: target.address, id, ...mailOf(envelope) }, mailServer)
    }
    const shape = { webhook: genericBody, slack: slackBody, discord: discordBody }[target.kind]
    const secret = await getTargetSecret(db, target.id)
    const { address } = target
    return sendWebhook({ address, body: shape(envelope), id, secret, allowsPrivate, at: clock() })
  }
}
