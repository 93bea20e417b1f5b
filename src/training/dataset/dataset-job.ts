// The words between whoever wants a dataset scanned or prepared and the process that does it. Data only.
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import type { Preparation, ScanReport, UncertainLabels } from '../../registry/runs/datasets.ts'
import type { LabelCheck } from '../../registry/runs/label-check.ts'
import type { ConditionClasses } from './labels.ts'

/** What decides about a preparation. */
interface Preparing {
  readonly dir: string
  readonly name: string
  /** Folder of all preparations of this dataset. */
  readonly place: string
  readonly preprocessing: Preprocessing
  readonly seed: number
  readonly maxPerClass: number | null
  readonly exclude: readonly string[]
  readonly uncertain: UncertainLabels
  /** Which of two classes is the finding, where no condition says it. */
  readonly positive: string | null
  readonly condition: { readonly id: string; readonly classes: ConditionClasses } | null
}

export type DatasetJob =
  | { readonly kind: 'scan'; readonly dir: string }
  | ({ readonly kind: 'prepare' } & Preparing)
  | ({
      readonly kind: 'labels'
      /** The version whose features are used, and where its package lies. */
      readonly version: string
      readonly packageDir: string
      readonly threads: number
    } & Preparing)

export type DatasetResult<Job extends DatasetJob> = Job extends { kind: 'scan' }
  ? ScanReport
  : Job extends { kind: 'labels' }
    ? LabelCheck
    : Preparation

export type DatasetMessage =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'done'; readonly report: ScanReport | Preparation | LabelCheck }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
