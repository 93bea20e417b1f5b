// What a runtime says about itself: one line for each condition and for each host, with a reason that a page can show.
import { parseVersion } from '../package/ids.ts'
import type { Precision } from '../package/schema.ts'
import type { Role, ServedState, ServedVersion } from './served-version.ts'

export interface ConditionStatus {
  readonly condition: string
  readonly versionId: string
  readonly sha256: string
  readonly precision: Precision
  readonly activationId: string
  readonly state: 'loading' | 'ready' | 'failed'
  readonly reason: string
  readonly damaged: boolean
}

export interface HostStatus {
  readonly id: string
  readonly sha256: string
  readonly precision: Precision
  readonly condition: string
  readonly pid: number | null
  readonly state: ServedState
  readonly reason: string
  readonly rssBytes: number
  readonly inFlight: number
  readonly role: Role
  readonly restarts: number
}

export function conditionStatus(served: ServedVersion, activationId: string): ConditionStatus {
  const { id, sha256 } = served.source
  return {
    condition: parseVersion(id).condition,
    versionId: id,
    sha256,
    precision: served.precision,
    activationId,
    state: served.isReady ? 'ready' : served.state === 'failed' ? 'failed' : 'loading',
    reason: served.reason,
    damaged: served.damage !== null,
  }
}

export function hostStatus(served: ServedVersion): HostStatus {
  const { id, sha256 } = served.source
  return {
    id,
    sha256,
    precision: served.precision,
    condition: parseVersion(id).condition,
    pid: served.pid,
    state: served.state,
    reason: served.reason,
    rssBytes: served.rssBytes,
    inFlight: served.leases,
    role: served.role,
    restarts: served.restarts,
  }
}
