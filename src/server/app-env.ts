// What travels with a request inside the app: who acts, and its id in the log.
export interface Actor {
  /** A name for the history; "local" while there are no users. */
  readonly by: string
  readonly via: 'page' | 'api' | 'cli' | 'file' | 'policy'
}

export interface AppEnv {
  Variables: { actor: Actor; requestId: string }
}
