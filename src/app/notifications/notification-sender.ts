// Tells targets what has ended: looks for what was not told yet, sends what is due, tries again with growing waits, and
// writes down how each try went. What it knows is in the database, so that neither a restart nor a kill loses a message.

import type { Config } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { parseVersion } from '../../package/ids.ts'
import type { Clock } from '../../registry/home/registry-context.ts'
import {
  type Delivery,
  findUntoldComparisons,
  findUntoldRuns,
  listDue,
  queueDelivery,
  recordTry,
} from '../../registry/notifications/notification-deliveries.ts'
import {
  getTarget,
  getTargetSecret,
  listTargets,
  type NotificationTarget,
} from '../../registry/notifications/notification-targets.ts'
import { getPairedJob } from '../../registry/paired/paired-jobs.ts'
import { getRun } from '../../registry/runs/runs.ts'
import type { Db } from '../../registry/schema/database.ts'
import { findVersion } from '../../registry/versions/versions.ts'
import type { Log } from '../log.ts'
import { comparisonMessage, runMessage, testMessage } from './messages.ts'
import { sendMail } from './send-mail.ts'
import { type Sent, sendWebhook } from './send-webhook.ts'
import { discordBody, type Envelope, genericBody, mailOf, slackBody } from './shapes.ts'

const LOOK_EVERY_MS = 3000
/** After the first try, the second, …; then it is given up. */
const WAITS_SECONDS = [10, 60, 600, 3600, 6 * 3600]
const AT_ONCE = 10

export interface PostRoomOptions {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly config: Pick<Config, 'host' | 'port' | 'notifications'>
}

export class NotificationSender {
  readonly #o: PostRoomOptions
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #stopped = false

  constructor(options: PostRoomOptions) {
    this.#o = options
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

  /** One look: what ended is queued, what is due is sent. Rounds do not overlap. Never rejects. */
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
    throw new AppError('unavailable', `The test did not arrive. ${detail}`)
  }

  async #look(): Promise<void> {
    const { db, clock } = this.#o
    const targets = (await listTargets(db)).filter(({ enabled }) => enabled)
    for (const target of targets) await this.#queueEnded(target)
    const byId = new Map(targets.map((target) => [target.id, target]))
    for (const delivery of await listDue(db, { clock, limit: AT_ONCE })) {
      const target = byId.get(delivery.target)
      if (this.#stopped) return
      if (target) await this.#deliver(target, delivery)
    }
  }

  async #queueEnded(target: NotificationTarget): Promise<void> {
    const { db, clock } = this.#o
    const at = clock().toISOString()
    for (const id of await findUntoldRuns(db, target)) {
      const run = await getRun(db, id)
      const version =
        run.version === null ? undefined : await findVersion(db, parseVersion(run.version))
      const message = runMessage(run, { version, at })
      await queueDelivery(db, { target: target.id, subject: id, message, clock })
    }
    for (const id of await findUntoldComparisons(db, target)) {
      const message = comparisonMessage(await getPairedJob(db, id), { at })
      await queueDelivery(db, { target: target.id, subject: id, message, clock })
    }
  }

  async #deliver(target: NotificationTarget, delivery: Delivery): Promise<void> {
    const { db, clock, log } = this.#o
    const { ok, mayRetry, detail } = await this.#send(target, delivery)
    const wait = mayRetry ? WAITS_SECONDS[delivery.attempts] : undefined
    const state = ok ? 'delivered' : wait === undefined ? 'failed' : 'waiting'
    const nextAt =
      state === 'waiting' ? new Date(clock().getTime() + (wait ?? 0) * 1000).toISOString() : null
    await recordTry(db, { id: delivery.id, state, detail, nextAt, clock })
    if (state === 'failed') log.warn({ target: target.name, detail }, 'a notification was given up')
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
