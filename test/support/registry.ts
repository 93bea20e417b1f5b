// A real registry in a temporary home, with a gate that takes a real moment and can be told to refuse.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import type { AppError } from '../../src/errors.ts'
import type { GateStep } from '../../src/package/gate-step.ts'
import type { Precision } from '../../src/package/schema.ts'
import { openRegistry, type Registry } from '../../src/registry/home/open-registry.ts'
import type { Gate, RegistryContext } from '../../src/registry/home/registry-context.ts'
import { openStore } from '../../src/registry/home/store.ts'
import { registerPackage } from '../../src/registry/versions/register-package.ts'
import type { Version } from '../../src/registry/versions/versions.ts'
import { makeTempDir, type TinyPackage, writePackage } from './package.ts'

export const ANNA = { by: 'anna', via: 'api' } as const

/** Stands in for the model hosts, which belong to another room. */
export class FakeGate implements Gate {
  /** What the next version gets instead of passing; by id. */
  readonly refusals = new Map<string, AppError>()
  /** Condition to version id: whom requests are answered by. */
  readonly answering = new Map<string, string>()
  readonly challenging = new Map<string, string>()
  readonly prepared: string[] = []
  /** Which precision `auto` comes out as. */
  faster: Precision = 'float32'
  readonly discarded: string[] = []
  failSwitch: Error | undefined

  async endChallenger(condition: string): Promise<void> {
    this.challenging.delete(condition)
  }

  async prepare(
    source: Parameters<Gate['prepare']>[0],
    { precision = 'float32' }: Partial<Parameters<Gate['prepare']>[1]> = {},
  ): ReturnType<Gate['prepare']> {
    this.prepared.push(source.id)
    await after(1)
    const refusal = this.refusals.get(source.id)
    if (refusal) throw refusal
    const passed = (name: GateStep['name']): GateStep => ({ name, ok: true, ms: 1, detail: 'fine' })
    return {
      steps: [passed('load'), passed('golden')],
      precision: precision === 'auto' ? this.faster : precision,
      switchTo: async () => {
        if (this.failSwitch) throw this.failSwitch
        this.answering.set(source.condition, source.id)
      },
      challenge: async () => void this.challenging.set(source.condition, source.id),
      discard: async () => void this.discarded.push(source.id),
    }
  }
}

export interface TestHome {
  readonly home: string
  readonly ctx: RegistryContext
  readonly gate: FakeGate
  /** Registers a new tiny package; `seed` makes it another one. */
  register(options?: TinyPackage): Promise<Version>
  close(): Promise<void>
  /** Opens the same home again, as a restart does. */
  reopen(): Promise<TestHome>
}

export const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Closed and removed when the test ends. */
export async function openApplication(
  t: TestContext,
  options: { home?: string } = {},
): Promise<TestHome> {
  const home = options.home ?? (await makeTempDir())
  const dataDir = join(home, 'data')
  const registry: Registry = await openRegistry({ dataDir })
  const store = await openStore({ modelsDir: join(home, 'models'), dataDir })
  const gate = new FakeGate()
  const ctx: RegistryContext = {
    db: registry.db,
    store,
    gate,
    clock: () => new Date(),
    log: SILENT,
  }
  t.after(async () => {
    await registry.close()
    await rm(home, { recursive: true, force: true })
  })
  let packages = 0
  return {
    home,
    ctx,
    gate,
    register: async (tiny = {}) => {
      const fromDir = join(home, `package-${packages++}`)
      await writePackage(fromDir, tiny)
      const options = { fromDir, move: true, actor: ANNA, clock: ctx.clock }
      return (await registerPackage(ctx, options)).version
    },
    close: () => registry.close(),
    reopen: async () => {
      await registry.close()
      return openApplication(t, { home })
    },
  }
}
