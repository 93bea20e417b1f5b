// The tables of the registry as Kysely sees them. Their SQL, with the checks that hold them, is in migrations.ts.

import type { Generated, Kysely } from 'kysely'
import type { ArchiveJobTable, ArchiveRuleTable } from './schema-archive.ts'
import type {
  AliasTable,
  BlindReadingTable,
  PairedJobTable,
  PairedLineTable,
  PromotionRuleTable,
  TrustedKeyTable,
} from './schema-governance.ts'
import type { JobEventTable, JobTable } from './schema-jobs.ts'
import type { NotificationDeliveryTable, NotificationTargetTable } from './schema-notifications.ts'
import type { VersionStatus } from './states.ts'

export type Db = Kysely<Database>

/** Times are ISO 8601 in UTC with milliseconds, so that they sort as text; JSON columns hold text. */
export interface Database {
  conditions: ConditionTable
  versions: VersionTable
  version_counters: VersionCounterTable
  version_tags: VersionTagTable
  activations: ActivationTable
  changes: ChangeTable
  predictions: PredictionTable
  prediction_tombstones: PredictionTombstoneTable
  forgotten_images: { name: string }
  feedback: FeedbackTable
  datasets: DatasetTable
  runs: RunTable
  challenges: ChallengeTable
  challenger_pairs: ChallengerPairTable
  evaluations: EvaluationTable
  notification_targets: NotificationTargetTable
  notification_deliveries: NotificationDeliveryTable
  aliases: AliasTable
  promotion_rules: PromotionRuleTable
  trusted_keys: TrustedKeyTable
  blind_readings: BlindReadingTable
  paired_jobs: PairedJobTable
  paired_lines: PairedLineTable
  archive_rules: ArchiveRuleTable
  archive_jobs: ArchiveJobTable
  jobs: JobTable
  job_events: JobEventTable
}

export interface ConditionTable {
  id: string
  name: string
  body_part: string
  kind: 'binary' | 'single-label' | 'multi-label'
  /** JSON: [{label, positive}] */
  classes: string
  policy: 'pinned' | 'follow'
  gate_metric: string
  gate_margin: number
  /** Name of the operating point in use; null: the default one of the version. */
  operating_point: string | null
  active_version: number | null
  active_activation: string | null
  challenger_version: number | null
  challenger_mode: 'shadow' | 'split' | null
  challenger_share: number | null
  created_at: string
}

export interface VersionTable {
  id: Generated<number>
  condition: string
  name: string
  n: number
  sha256: string
  architecture: string
  status: VersionStatus
  /** Why it is quarantined or deleted. */
  status_reason: string | null
  deleted_at: string | null
  /** When its package left the bin for good. */
  emptied_at: string | null
  created_at: string
  registered_at: string
  registered_by: string
  registered_via: string
  verified_at: string | null
  size_bytes: number
  accuracy: number | null
  balanced_accuracy: number | null
  auc: number | null
  sensitivity: number | null
  specificity: number | null
  f1: number | null
  demonstration: number
  /** JSON of manifest.json as it was registered. */
  manifest: string
  /** JSON: the manifest's lineage and the former ids that an import brought. */
  lineage: string
  notes: string
  /** Lower case: what `q` looks through. */
  search_text: string
}

export interface VersionCounterTable {
  condition: string
  name: string
  last_n: number
}

export interface VersionTagTable {
  version: number
  tag: string
}

export interface ActivationTable {
  seq: Generated<number>
  id: string
  condition: string
  /** As it was asked for: `c/n@3`; may name a version that never existed (outcome `refused`). */
  version: string
  sha256: string | null
  previous: string | null
  at: string
  by: string
  via: 'page' | 'api' | 'cli' | 'file' | 'policy'
  kind: 'activate' | 'rollback' | 'adopted'
  reason: string
  outcome: 'pending' | 'activated' | 'refused'
  /** JSON: [{name, ok, ms, detail}] */
  steps: string
  /** Of the graph that answers; null while that is not decided, and when nothing was. */
  precision: 'float32' | 'int8' | null
}

export interface ChangeTable {
  seq: Generated<number>
  subject: string
  field: string
  /** JSON of the new value. */
  value: string
  at: string
  by: string
  via: string
  /** null: none was given. */
  reason: string | null
}

export interface PredictionTable {
  seq: Generated<number>
  id: string
  condition: string
  version: string
  at: string
  expires_at: string
  /** The whole Prediction as it was given out. */
  body: string
  /** Float32, little endian, row by row; null without a heatmap. */
  grid: Uint8Array | null
  grid_width: number | null
  grid_height: number | null
  grid_scale: number | null
  image_file: string | null
}

export interface PredictionTombstoneTable {
  id: string
  gone_at: string
}

export interface FeedbackTable {
  seq: Generated<number>
  prediction: string
  verdict: 'agree' | 'disagree' | 'unsure'
  label: string | null
  comment: string | null
  at: string
  by: string
}

export interface DatasetTable {
  id: string
  /** Relative to the data root, with forward slashes. */
  path: string
  name: string
  state: 'scanning' | 'scanned' | 'preparing' | 'prepared' | 'failed'
  reason: string | null
  /** JSON: what is in the folder. */
  scan: string | null
  /** JSON: how it was split and fixed. */
  prepared: string | null
  /** JSON: labels that look wrong. */
  label_check: string | null
  created_at: string
  scanned_at: string | null
  prepared_at: string | null
}

/** What a run is about and what it left; state, attempts and times are those of the job with the same id. */
export interface RunTable {
  seq: Generated<number>
  id: string
  condition: string
  dataset: string
  architecture: string
  preset: string
  /** JSON: hyperparameters, name, initFrom, tags as they were asked for. */
  settings: string
  /** JSON: what would help after a failure. */
  offer: string | null
  progress: string
  version: string | null
  lineage: string
}

export interface EvaluationTable {
  seq: Generated<number>
  id: string
  version: string
  sha256: string
  dataset: string
  split: string
  test_set: string
  /** JSON of Metrics. */
  metrics: string
  is_evidence: number
  /** JSON */
  report: string
  at: string
  by: string
  via: string
}

export interface ChallengeTable {
  seq: Generated<number>
  id: string
  condition: string
  version: string
  sha256: string
  mode: 'shadow' | 'split'
  share: number | null
  started_at: string
  /** null while it runs. */
  ended_at: string | null
  by: string
  via: string
  /** JSON: what the condition's rule did with it; null while it did nothing. */
  promotion: string | null
}

export interface ChallengerPairTable {
  seq: Generated<number>
  challenge: string
  /** The one that the active version gave; it may have expired since. */
  prediction: string
  /** SHA-256 of the upload. */
  image: string
  at: string
  active_version: string
  active_label: string
  challenger_label: string
  /** The class whose calibrated probabilities follow: the one that the active version decided for. */
  label: string
  active_p: number
  challenger_p: number
  /** JSON: [{label, active, challenger}] */
  classes: string
  /** What a reader's feedback says that the image shows. */
  truth: string | null
}
