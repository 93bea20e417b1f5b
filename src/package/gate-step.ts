// A step that a version goes through before it answers, as it stands in histories and answers. The steps themselves are done
// in registry and inference.

export type StepName = 'evidence' | 'manifest' | 'load' | 'golden' | 'metrics' | 'pointer'

export interface GateStep<Name extends StepName = StepName> {
  readonly name: Name
  readonly ok: boolean
  /** Milliseconds. */
  readonly ms: number
  readonly detail: string
}
