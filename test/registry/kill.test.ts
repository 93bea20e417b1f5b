// The process may be killed at any instant: what was reported stays, what was under way is there whole or not at all.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readPointer } from '../../src/registry/activation/active-pointer.ts'
import { recover } from '../../src/registry/activation/recover.ts'
import { listConditions } from '../../src/registry/conditions/conditions.ts'
import { presentVersions, verifyAll } from '../../src/registry/versions/verify-all.ts'
import { openApplication, type TestHome } from '../support/registry.ts'

const SLOW = process.env.ROENTGEN_SLOW_TESTS === '1'
const KILLS = SLOW ? 200 : 20
const CHILD = fileURLToPath(new URL('kill-child.ts', import.meta.url))

/** What the child reported before it was killed, over all rounds. */
interface Reported {
  readonly active: Map<string, string>
  readonly present: Set<string>
  /** The last line, when it began something that was not reported as done. */
  inFlight: readonly string[]
  /** How many packages came in as a zip. */
  imported: number
}

async function runAndKill(home: string, { seed, reported }: { seed: number; reported: Reported }) {
  const child = spawn(process.execPath, [CHILD, home, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  reported.inFlight = []
  let lines = 0
  // From readiness on, a moment that no code path can know: within it the child does some ten things.
  const killAfterMs = (seed * 7919) % 250
  for await (const line of createInterface({ input: child.stdout })) {
    const words = line.split(' ')
    if (words[2] === 'imported') reported.imported += 1
    if (line === 'ready') void after(killAfterMs).then(() => child.kill('SIGKILL'))
    else lines += 1
    reported.inFlight = words[0] === 'begin' ? words.slice(1) : []
    if (words[0] === 'registered') reported.present.add(words[1] ?? '')
    if (words[0] === 'deleted') reported.present.delete(words[1] ?? '')
    if (words[0] === 'activated') reported.active.set(words[1] ?? '', words[2] ?? '')
  }
  const [code, signal] = (await ended) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', `the child ended by itself with ${code}`)
  return lines
}

async function checkHome(home: TestHome, reported: Reported): Promise<void> {
  const { ctx } = home
  const { problems } = await recover(ctx)
  assert.deepEqual(problems, [])
  const [what, first = '', second = ''] = reported.inFlight
  for (const condition of await listConditions(ctx.db)) {
    const active = condition.active?.version
    const allowed = [reported.active.get(condition.id)]
    if (what === 'activate' && first === condition.id) allowed.push(second)
    assert.ok(allowed.includes(active), `${active} answers, not one of ${allowed.join(', ')}`)
    if (active) reported.active.set(condition.id, active)
    const file = await readPointer(ctx.store, condition.id)
    assert.equal(file.state === 'read' ? file.version : undefined, active)
  }
  const results = await verifyAll(ctx)
  assert.deepEqual(
    results.filter((result) => !result.ok),
    [],
  )
  const listed = new Set((await presentVersions(ctx.db)).map((version) => version.id))
  const missing = [...reported.present].filter((id) => !listed.has(id))
  assert.deepEqual(missing, what === 'delete' && missing.includes(first) ? [first] : [])
  const extra = [...listed].filter((id) => !reported.present.has(id))
  assert.ok(extra.length <= (what === 'register' ? 1 : 0), `listed unasked: ${extra.join(', ')}`)
  for (const id of missing) reported.present.delete(id)
  for (const id of extra) reported.present.add(id)
  assert.deepEqual(await readdir(ctx.store.stagingDir), [])
  const pending = await ctx.db
    .selectFrom('activations')
    .select('id')
    .where('outcome', '=', 'pending')
    .execute()
  assert.deepEqual(pending, [])
}

test(`after each of ${KILLS} kills the registry opens and shows what was last reported`, async (t) => {
  const reported: Reported = { active: new Map(), present: new Set(), inFlight: [], imported: 0 }
  let home = await openApplication(t)
  let actions = 0
  for (let seed = 1; seed <= KILLS; seed++) {
    await home.close()
    actions += await runAndKill(home.home, { seed, reported })
    home = await home.reopen()
    await checkHome(home, reported)
  }
  t.diagnostic(`${KILLS} kills, ${actions} lines reported, ${reported.imported} imports`)
  // On a busy machine few kills may find none: an import takes longer than the rest.
  if (KILLS >= 100) assert.ok(reported.imported > 0, 'imports must have been under way')
  assert.ok(actions > KILLS, 'the children must have been at work when they were killed')
})
