// The states of rows that have some, each named once. The check constraints of the migrations hold the same words;
// of a run, `preparing` is a running job whose images are being prepared.

export const RUN_STATES = [
  'queued',
  'preparing',
  'running',
  'paused',
  'interrupted',
  'cancelled',
  'failed',
  'finished',
] as const
export type RunState = (typeof RUN_STATES)[number]

export const VERSION_STATUSES = ['verified', 'unevaluated', 'quarantined', 'deleted'] as const
export type VersionStatus = (typeof VERSION_STATUSES)[number]
