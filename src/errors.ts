// The one error type of the product and the table of its codes. Imports nothing.
// `src/server/http/problem.ts` alone turns it into a page, fragment or problem document.

/** Each stable code with its HTTP status and its short title (RFC 9457 `title`). */
export const ERROR_CODES = {
  invalid: { status: 422, title: 'Invalid request' },
  'condition-required': { status: 422, title: 'Choose a condition' },
  'image-required': { status: 422, title: 'No image was sent' },
  'unknown-layer': { status: 422, title: 'This version cannot explain that layer' },
  'unknown-target': { status: 422, title: 'The condition has no such class' },
  'unknown-operating-point': { status: 422, title: 'This version has no such operating point' },
  'undecodable-image': { status: 422, title: 'The image cannot be read' },
  'unsupported-image': { status: 415, title: 'Unsupported file type' },
  'unsupported-encoding': { status: 415, title: 'This compression is not read here' },
  'upload-stalled': { status: 408, title: 'The upload stopped' },
  'upload-too-large': { status: 413, title: 'The file is too large' },
  'too-many-pixels': { status: 413, title: 'The image has too many pixels' },
  'invalid-package': { status: 422, title: 'Not a usable model package' },
  'not-found': { status: 404, title: 'Not found' },
  'unknown-condition': { status: 404, title: 'Unknown condition' },
  'unknown-version': { status: 404, title: 'Unknown version' },
  'unknown-prediction': { status: 404, title: 'Unknown prediction' },
  'unknown-dataset': { status: 404, title: 'Unknown dataset' },
  'unknown-run': { status: 404, title: 'Unknown training run' },
  'unknown-job': { status: 404, title: 'Unknown job' },
  gone: { status: 410, title: 'This has expired' },
  conflict: { status: 409, title: 'Not possible in the current state' },
  'no-active-version': { status: 409, title: 'No active version for this condition' },
  'nothing-to-roll-back': { status: 409, title: 'Nothing to roll back to' },
  'never-active': { status: 409, title: 'That version has never answered here' },
  'state-changed': { status: 409, title: 'The state has changed meanwhile' },
  'hash-mismatch': { status: 409, title: 'The package differs from its manifest' },
  'signature-mismatch': { status: 409, title: 'A package signature is invalid' },
  untrusted: { status: 409, title: 'No trusted key signed the package' },
  'golden-mismatch': { status: 409, title: 'The version does not reproduce its golden images' },
  'load-failed': { status: 409, title: 'The version could not be loaded' },
  gate: { status: 409, title: 'The version is worse than the active one' },
  unevaluated: { status: 409, title: 'The version has no comparable metrics' },
  'class-mismatch': { status: 422, title: 'The dataset has other classes than the condition' },
  'dataset-not-prepared': { status: 409, title: 'Dataset not prepared' },
  forbidden: { status: 403, title: 'Not allowed' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  busy: { status: 503, title: 'Busy, try again shortly' },
  loading: { status: 503, title: 'Still loading, try again shortly' },
  unavailable: { status: 503, title: 'Not available' },
  'disk-full': { status: 507, title: 'The disk is full' },
  'home-in-use': { status: 409, title: 'Another Roentgen server uses this home' },
  setting: { status: 500, title: 'A setting is wrong' },
  internal: { status: 500, title: 'Something went wrong' },
} as const

export type ErrorCode = keyof typeof ERROR_CODES

export interface AppErrorOptions {
  /** What really happened; logged, never shown. */
  readonly cause?: unknown
  /** Seconds after which a retry makes sense (503 only). */
  readonly retryAfterSeconds?: number
  /** Extra members of the problem document, for programs. */
  readonly extra?: Readonly<Record<string, unknown>>
}

/** An error meant for a person: `message` is one helpful sentence without paths, stacks or personal data. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly retryAfterSeconds: number | undefined
  readonly extra: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds
    this.extra = options.extra ?? {}
  }

  get status(): number {
    return ERROR_CODES[this.code].status
  }

  get title(): string {
    return ERROR_CODES[this.code].title
  }
}

export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError
}

/** The text of anything thrown, for logs and for reasons that a page shows. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])
/** Errors wrap errors; a chain that is longer than this is a circle. */
const MAX_CAUSES = 10

/** True when this error, or what caused it, is that there is no room left: of the disk, or of the user's share of it. */
export function isDiskFull(error: unknown): boolean {
  let one = error
  for (let depth = 0; depth < MAX_CAUSES && typeof one === 'object' && one !== null; depth++) {
    const { code, cause } = one as { code?: unknown; cause?: unknown }
    if (typeof code === 'string' && (code === 'disk-full' || FULL.has(code))) return true
    one = cause
  }
  return false
}

/** The one sentence for it, wherever it happens. */
export function diskFull(cause: unknown): AppError {
  return new AppError(
    'disk-full',
    'The disk is full, or its quota is used up; free some space and try again.',
    { cause },
  )
}
