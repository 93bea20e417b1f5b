// What an import is asked to do and what comes of it: the words between import-model.ts and its child process.
import type { ErrorCode } from '../../errors.ts'
import type { ClassLabel, ConditionKind } from '../../package/schema.ts'
import type { ForeignFields } from './foreign-fields.ts'

export interface ImportJob {
  /** The file as it was sent; already known to be one of these. A zip is a TF.js, Keras or PyTorch model. */
  readonly kind: 'zip' | 'tfjs-folder' | 'onnx' | 'keras' | 'state-dict'
  readonly path: string
  /** Base name as the sender had it, for the lineage. */
  readonly sourceName: string
  readonly sourceSha256: string
  /** The same for the same file, the same answers and this converter; see import-key.ts. */
  readonly importKey: string
  readonly fields: ForeignFields
  /** The condition, when it is there already: the model must fit it. */
  readonly condition: KnownCondition | undefined
  /** An empty folder; the finished package is made here. */
  readonly outDir: string
  /** A folder for what is unpacked; emptied by the parent. */
  readonly workDir: string
}

export interface KnownCondition {
  readonly name: string
  readonly bodyPart: string
  readonly kind: ConditionKind
  readonly classes: readonly ClassLabel[]
}

export type ImportReply =
  | { readonly ok: true; readonly sha256: string }
  | {
      readonly ok: false
      readonly code: ErrorCode
      readonly message: string
      readonly cause: string
    }
