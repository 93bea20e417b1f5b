// Notifications: far ends that this test starts (HTTP and SMTP), real rows, real sockets; only the clock is turned by hand.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import test from 'node:test'
import { SMTPServer } from 'smtp-server'
import type { Application } from '../../src/app/application.ts'
import { JobQueue } from '../../src/app/jobs/job-queue.ts'
import { createLog } from '../../src/app/log.ts'
import { NotificationSender } from '../../src/app/notifications/notification-sender.ts'
import { sqliteJobStore } from '../../src/registry/jobs/sqlite-job-store.ts'
import { addRuns } from '../../src/registry/runs/runs.ts'
import { farEnd, type Heard, openedForPost, target } from '../support/far-end.ts'
import { jsonBody, jsonOf } from '../support/home.ts'

/** A run that has ended, as the training room writes it. */
async function endedRun({ db }: Application, state: 'failed' | 'cancelled', id = `run-${state}`) {
  const at = new Date().toISOString()
  await db
    .insertInto('conditions')
    .values({
      ...{
        id: 'pneumonia',
        name: 'Pneumonia',
        body_part: 'chest',
        kind: 'binary',
        policy: 'pinned',
      },
      classes: '[{"label":"A","positive":false},{"label":"B","positive":true}]',
      ...{ gate_metric: 'balancedAccuracy', gate_margin: 0.01, created_at: at },
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await db
    .insertInto('datasets')
    .values({ id: 'ds', path: 'chest', name: 'chest', state: 'scanned', created_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const run = { id, condition: 'pneumonia', dataset: 'ds', architecture: 'tiny_cnn' }
  const settings = { preset: 'quick', name: null, hyperparameters: {}, initFrom: null, tags: [] }
  const owner = { by: 'x', via: 'api' } as const
  await addRuns(db, [{ ...run, ...settings, ...owner, lineage: {}, at }])
  const store = sqliteJobStore(db)
  // Not due: nobody but this test ends it.
  const dueAt = '2999-01-01T00:00:00.000Z'
  await store.add([{ id, kind: 'training', subject: null, input: {}, at, dueAt, ...owner }])
  const end = { state, reason: 'The dataset is gone.', at, endedAt: at }
  await store.move(id, { ...end, from: ['queued'] })
}

/** One look, and all that is due is sent. */
async function told({ post, jobs }: Pick<Application, 'post' | 'jobs'>): Promise<void> {
  await post.look()
  jobs.wake()
  await jobs.whenIdle()
}

/** The home's own rests from now on; time passes by hand for these. */
async function underClock({ db, config, jobs: own }: Application, clock: () => Date) {
  await own.stop()
  const log = createLog('silent')
  const jobs = new JobQueue({ store: sqliteJobStore(db), clock, log })
  const post = new NotificationSender({ db, config, clock, jobs, log })
  jobs.start()
  return { post, jobs }
}

test('a run that ended is told once, signed with the secret that was given out once', async (t) => {
  const { home, call } = await openedForPost(t)
  const { url, heard } = await farEnd(t)
  const made = await call('/api/v1/notifications', target(url))
  assert.equal(made.status, 201)
  const { id, secret } = await jsonOf<{ id: string; secret: string }>(made)
  assert.ok(!(await (await call(`/api/v1/notifications/${id}`)).text()).includes(secret))
  await endedRun(home, 'failed')
  await told(home)
  await told(home)
  assert.equal(heard.length, 1)
  const [{ headers, body }] = heard as [Heard]
  const [, seconds, sum] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(
    String(headers['roentgen-signature']),
  ) as RegExpExecArray
  const expected = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  assert.equal(sum, expected)
  const { event, text, facts } = JSON.parse(body)
  assert.deepEqual([event, text], ['run.failed', 'The dataset is gone.'])
  assert.equal(facts.Condition, 'pneumonia')
  const log = await jsonOf<{ items: { state: string; attempts: number }[] }>(
    await call('/api/v1/notifications/deliveries'),
  )
  assert.deepEqual(
    log.items.map(({ state, attempts }) => [state, attempts]),
    [['delivered', 1]],
  )
})

test('what happened before, what was not asked for, and what is switched off is not told', async (t) => {
  const { home, call } = await openedForPost(t)
  const { url, heard } = await farEnd(t)
  await endedRun(home, 'failed', 'run-before')
  await new Promise((resolve) => setTimeout(resolve, 5))
  const { id } = await jsonOf<{ id: string }>(await call('/api/v1/notifications', target(url)))
  await endedRun(home, 'cancelled')
  await call(`/api/v1/notifications/${id}`, jsonBody({ enabled: false }, 'PATCH'))
  await endedRun(home, 'failed', 'run-after')
  await told(home)
  assert.equal(heard.length, 0)
  await call(`/api/v1/notifications/${id}`, jsonBody({ enabled: true }, 'PATCH'))
  await told(home)
  assert.equal(heard.length, 1)
})

test('what waits for a target that is switched off keeps nothing from the others', async (t) => {
  const { home, call } = await openedForPost(t)
  const { url: silent } = await farEnd(t, () => 503)
  const { id } = await jsonOf<{ id: string }>(await call('/api/v1/notifications', target(silent)))
  for (let n = 0; n < 12; n++) await endedRun(home, 'failed', `run-${n}`)
  await told(home)
  await call(`/api/v1/notifications/${id}`, jsonBody({ enabled: false }, 'PATCH'))
  const { url, heard } = await farEnd(t)
  await call('/api/v1/notifications', target(url))
  await endedRun(home, 'failed', 'run-later')
  const later = new Date(Date.now() + 3_600_000)
  await told(await underClock(home, () => later))
  assert.equal(heard.length, 1)
})

test('a far end that fails is tried again with growing waits, and given up after six tries', async (t) => {
  const { home, call } = await openedForPost(t)
  const { url, heard } = await farEnd(t, () => 503)
  const { id } = await jsonOf<{ id: string }>(await call('/api/v1/notifications', target(url)))
  await endedRun(home, 'failed')
  let now = Date.now()
  const clock = () => new Date(now)
  const later = await underClock(home, clock)
  const tries: number[] = []
  for (const seconds of [0, 9, 1, 59, 1, 599, 1, 3599, 1, 6 * 3600 - 1, 1, 1e6]) {
    now += seconds * 1000
    await told(later)
    tries.push(heard.length)
  }
  assert.deepEqual(tries, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
  const log = await jsonOf<{ items: { state: string; detail: string }[] }>(
    await call(`/api/v1/notifications/deliveries?target=${id}`),
  )
  assert.deepEqual(
    log.items.map(({ state, detail }) => [state, detail]),
    [['failed', 'Responded with 503: said so.']],
  )
})

test('a redirection is not followed, and what the far end refuses is not tried again', async (t) => {
  for (const status of [302, 404]) {
    const { home, call } = await openedForPost(t)
    const { url, heard } = await farEnd(t, () => status)
    await call('/api/v1/notifications', target(url))
    await endedRun(home, 'failed')
    await told(home)
    await told(home)
    assert.equal(heard.length, 1)
    const log = await jsonOf<{ items: { state: string }[] }>(
      await call('/api/v1/notifications/deliveries'),
    )
    assert.equal(log.items[0]?.state, 'failed')
  }
})

test('Slack and Discord get their own shapes, and nothing in a name is markup there', async (t) => {
  const { call } = await openedForPost(t)
  const { url, heard } = await farEnd(t)
  for (const kind of ['slack', 'discord']) {
    const made = await call(
      '/api/v1/notifications',
      target(url, { kind, name: '<!channel> & @all' }),
    )
    const { id } = await jsonOf<{ id: string }>(made)
    const tried = await call(`/api/v1/notifications/${id}/test`, { method: 'POST' })
    assert.equal(tried.status, 200, await tried.clone().text())
  }
  const [slack, discord] = heard.map(({ body }) => JSON.parse(body))
  assert.equal(slack.blocks[0].type, 'header')
  assert.ok(slack.text.includes('&lt;!channel&gt; &amp; @all'))
  assert.deepEqual(discord.allowed_mentions, { parse: [] })
  assert.ok(discord.embeds[0].description.includes('<!channel> & @all'))
})

test('an e-mail arrives at the mail server with subject and text, and a refusal is told', async (t) => {
  const mails: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: ({ address }, _session, done) =>
      done(
        address.startsWith('nobody')
          ? Object.assign(new Error('who?'), { responseCode: 550 })
          : null,
      ),
    onData(stream, _session, done) {
      stream.pipe(collector(mails)).on('finish', () => done())
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const { port } = server.server.address() as AddressInfo
  const { home, call } = await openedForPost(t, {
    ROENTGEN_SMTP_URL: `smtp://127.0.0.1:${port}`,
    ROENTGEN_MAIL_FROM: 'roentgen@lab.example',
    ROENTGEN_URL: 'https://roentgen.lab.example',
  })
  const email = { kind: 'email', events: ['run.cancelled'] }
  await call('/api/v1/notifications', target('head@lab.example', email))
  await endedRun(home, 'cancelled')
  await told(home)
  assert.equal(mails.length, 1)
  assert.match(mails[0] ?? '', /^From: roentgen@lab\.example/m)
  assert.match(mails[0] ?? '', /^Subject: Roentgen: Training cancelled/m)
  assert.match(mails[0] ?? '', /https:\/\/roentgen\.lab\.example\/training\/run-cancelled/)
  const made = await call('/api/v1/notifications', target('nobody@lab.example', email))
  const { id } = await jsonOf<{ id: string }>(made)
  const refused = await call(`/api/v1/notifications/${id}/test`, { method: 'POST' })
  const { status, detail } = await jsonOf<{ status: number; detail: string }>(refused)
  assert.deepEqual(
    [status, detail],
    [503, 'The test was not delivered. The mail server rejected it (550).'],
  )
})

function collector(into: string[]): Duplex {
  let text = ''
  return new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
    final(done) {
      into.push(text)
      done()
    },
  })
}
