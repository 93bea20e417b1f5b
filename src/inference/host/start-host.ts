// From a version to a host that has proved that it runs: private copy, its configuration, child process, first run.
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { InferenceQueue } from '../inference-queue.ts'
import { scores } from '../scores.ts'
import { type CopiedConfig, readCopiedConfig } from './copied-config.ts'
import { killedWhileLoading } from './host-errors.ts'
import { type HostFault, ModelHost } from './model-host.ts'
import type { ServingCopy, ServingSource } from './serving-copy.ts'

export interface HostSettings {
  readonly threads: number
  readonly loadTimeoutMs: number
  readonly inferTimeoutMs: number
  /** Of all hosts together. */
  readonly memoryBudgetBytes: number
  readonly compileCacheDir: string
  /** Runs at the lowest priority of the system, so that it takes nothing from hosts that answer. */
  readonly isBackground: boolean
}

export interface StartHostOptions {
  readonly source: ServingSource
  /** The intact private copy, made from the package when there is none. */
  readonly openCopy: (source: ServingSource) => Promise<ServingCopy>
  readonly queue: InferenceQueue
  readonly settings: HostSettings
  /** Aborted: the host is ended, also half loaded. */
  readonly signal: AbortSignal
  /** The host was loaded and is gone. */
  readonly onCrash: (reason: string, fault: HostFault) => void
}

export interface StartedHost {
  readonly host: ModelHost
  readonly copy: ServingCopy
  readonly config: CopiedConfig
}

/** @throws AppError `hash-mismatch`, `load-failed`; `unavailable` when it was killed from outside; the signal's reason */
export async function startHost(o: StartHostOptions): Promise<StartedHost> {
  const copy = await o.openCopy(o.source)
  const config = await readCopiedConfig(copy, o.source.precision)
  o.signal.throwIfAborted()
  const { height, width, channels } = config.preprocessing
  const host = new ModelHost({
    id: o.source.id,
    load: {
      graph: config.model.graph,
      path: join(copy.dir, config.graph.path),
      sha256: config.graph.sha256,
      shape: { height, width, channels },
      threads: o.settings.threads,
      isBackground: o.settings.isBackground,
    },
    ...o.settings,
    copyDir: copy.dir,
    onCrash: o.onCrash,
  })
  const end = () => void host.stop()
  o.signal.addEventListener('abort', end, { once: true })
  try {
    await host.start()
    await warmUp(host, { ...o, config })
    o.signal.throwIfAborted()
  } catch (error) {
    await host.stop('It could not be loaded.')
    throw host.wasKilled ? killedWhileLoading(o.source.id, error) : error
  } finally {
    o.signal.removeEventListener('abort', end)
  }
  return { host, copy, config }
}

/** A first run of an empty image: it allocates what later runs use, and shows that the outputs fit the classes. */
async function warmUp(
  host: ModelHost,
  o: StartHostOptions & { readonly config: CopiedConfig },
): Promise<void> {
  const { kind, classes } = o.config.model
  const { height, width, channels } = o.config.preprocessing
  const empty = new Float32Array(height * width * channels)
  try {
    const run = () => host.infer(empty, { explain: true })
    const raw = await o.queue.run(run, { urgent: true, key: host })
    host.learnLimits(raw.inferMs)
    scores({ kind, classes, raw, calibration: null })
  } catch (cause) {
    const message = `${o.source.id} could be loaded, but its first run failed or does not fit its classes.`
    throw new AppError('load-failed', message, { cause })
  }
}
