// One image through one version: hold, decode, preprocess, infer, decide, release. Everything that predicts calls this:
// diagnose, compare, batches, evaluations, shadow, paired comparison and the trial of an import. Stores nothing.
import type { ReadImage } from '../../imaging/imaging-job.ts'
import { chooseOperatingPoint } from '../../inference/decide.ts'
import { type DiagnoseInput, type Diagnosis, diagnose } from '../../inference/diagnose.ts'
import type { Lease, LoadedVersion } from '../../inference/lease.ts'
import type { Calibration, OperatingPoint } from '../../package/schema.ts'
import { packageDir } from '../../registry/home/store.ts'
import type { Version } from '../../registry/versions/versions.ts'
import type { Uses } from '../services.ts'

/** Runs `use` while the version is held, and releases it whatever happens. */
export type Hold<Held extends LoadedVersion> = <T>(use: (held: Held) => Promise<T>) => Promise<T>

/** What turns raw scores into probabilities and a decision; of the graph that is held. */
export interface DecisionRule {
  readonly calibration: Calibration | null
  readonly operatingPoints: readonly OperatingPoint[]
  /** The name in use where none is asked for; null takes the first, or the standard rule where there is none. */
  readonly defaultOperatingPoint: string | null
}

export interface InferRequest<Held extends LoadedVersion, Rule extends DecisionRule> {
  readonly hold: Hold<Held>
  readonly rule: (held: Held) => Rule | Promise<Rule>
  readonly image: Uint8Array
  /** Frame of a file that holds several, counted from 1. */
  readonly frame?: number | undefined
  /** By name; the rule's own when left out. */
  readonly operatingPoint?: string | undefined
  /** Nothing is explained when left out. */
  readonly explain?: DiagnoseInput['explain'] | undefined
  /** Also give the oriented pixels back as a PNG, made while the model works. */
  readonly keepPng?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Inferred<Held extends LoadedVersion, Rule extends DecisionRule> {
  readonly diagnosis: Diagnosis
  readonly image: ReadImage
  readonly tensor: Float32Array // [1, height, width, channels]
  /** Released: its properties may be used, but it infers no more. */
  readonly held: Held
  readonly rule: Rule
  readonly keptPng: Uint8Array | undefined
}

/**
 * The hold comes first: it is the place in the queue, and says how the image is to be prepared.
 * @throws AppError those of `hold`, `unknown-operating-point`, those of imaging, `unknown-target`, `unknown-layer`, `busy`
 */
export function inferImage<Held extends LoadedVersion, Rule extends DecisionRule>(
  services: Uses<'imaging'>,
  request: InferRequest<Held, Rule>,
): Promise<Inferred<Held, Rule>> {
  const { image: bytes, frame, keepPng } = request
  return request.hold(async (held) => {
    const rule = await request.rule(held)
    // A wrong name is refused before any pixel is decoded.
    const operatingPoint = operatingPointOf(held, { rule, wanted: request.operatingPoint })
    const wanted = { preprocessing: [held.preprocessing], frame }
    const { prepared, kept } = keepPng
      ? services.imaging.readAhead(bytes, wanted)
      : { prepared: services.imaging.read(bytes, wanted), kept: undefined }
    const image = await prepared
    const tensor = image.tensors[0] ?? new Float32Array()
    const diagnosis = await decideOn(held, { ...request, rule, tensor, operatingPoint })
    return { diagnosis, image, tensor, held, rule, keptPng: await kept }
  })
}

/** The same of an image that was prepared before, just as this version wants it. */
export function inferTensor<Held extends LoadedVersion>(
  held: Held,
  o: {
    readonly rule: DecisionRule
    readonly tensor: Float32Array
    readonly signal?: AbortSignal | undefined
  },
): Promise<Diagnosis> {
  return decideOn(held, { ...o, operatingPoint: operatingPointOf(held, { rule: o.rule }) })
}

function decideOn(
  held: LoadedVersion,
  o: Pick<DiagnoseInput, 'tensor' | 'operatingPoint' | 'signal'> & {
    readonly rule: DecisionRule
    readonly explain?: DiagnoseInput['explain'] | undefined
  },
): Promise<Diagnosis> {
  const { tensor, operatingPoint, signal, rule, explain = { method: 'none' as const } } = o
  const { calibration } = rule
  return diagnose({ lease: held, tensor, calibration, operatingPoint, explain, signal })
}

function operatingPointOf(
  { model }: LoadedVersion,
  { rule, wanted }: { readonly rule: DecisionRule; readonly wanted?: string | undefined },
): OperatingPoint {
  const { kind, classes } = model
  const { operatingPoints: points, defaultOperatingPoint: inUse } = rule
  return chooseOperatingPoint({ points, wanted, inUse, kind, classes })
}

/** A version's own figures, at the operating point that its condition has chosen, if it has. */
export function ruleOfVersion(
  { calibration, operatingPoints, defaultOperatingPoint }: DecisionRule,
  condition: { readonly operatingPoint: string | null },
): DecisionRule {
  const inUse = condition.operatingPoint ?? defaultOperatingPoint
  return { calibration, operatingPoints, defaultOperatingPoint: inUse }
}

/** The version that `take` gives, released after use. */
export function leased(take: () => Promise<Lease>): Hold<Lease> {
  return async (use) => {
    const lease = await take()
    try {
      return await use(lease)
    } finally {
      lease.release()
    }
  }
}

/** A registered version, active or not; loaded when it is not yet. `float32`: as it was trained, whatever answers now. */
export function leasedVersion(
  { runtime, store }: Uses<'runtime' | 'store'>,
  version: Version,
  { precision }: { readonly precision?: 'float32' } = {},
): Hold<Lease> {
  const { id, sha256 } = version
  const source = { id, sha256, dir: packageDir(store, version) }
  return leased(() => runtime.leaseVersion(precision ? { ...source, precision } : source))
}
