// The environment, read once into a frozen Config; the only place that reads process.env.

import { isIP, isIPv4 } from 'node:net'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { AppError } from './errors.ts'
import { SETTINGS, type SettingName } from './settings.ts'

export { SETTINGS, type SettingName } from './settings.ts'

const MIB = 1024 * 1024

/** More than these would not be faster: each upload then waits for its model. */
const MAX_IMAGING_WORKERS = 4

export interface Config {
  readonly port: number
  readonly host: string
  readonly open: boolean
  readonly allowedHosts: readonly string[]
  /** Addresses and networks whose X-Forwarded-* counts. */
  readonly trustedProxies: readonly string[]
  /** Path of another site below which the pages are, without a trailing slash; empty at the top. */
  readonly basePath: string
  readonly modelsDir: string
  readonly dataDir: string
  readonly datasetsDir: string
  readonly demo: 'auto' | 'off'
  readonly engine: 'auto' | 'onnx' | 'tensorflow'
  /** Where to look for TensorFlow's library; undefined: beside Roentgen's other parts. */
  readonly tensorflowDir: string | undefined
  /** Of published weights; undefined: where they are published. */
  readonly weightsUrl: string | undefined
  readonly threads: number
  readonly imagingWorkers: number
  readonly thermal: ThermalConfig
  readonly hostMemoryBytes: number
  readonly queueLength: number
  readonly maxUploadBytes: number
  /** Of all uploads in flight. */
  readonly maxUploadsBytes: number
  /** Of them, what is in memory. */
  readonly maxUploadMemoryBytes: number
  readonly maxPixels: number
  readonly maxImportBytes: number
  readonly keepUploadsMs: number
  readonly keepBinMs: number
  readonly keepVersions: number
  /** Imports and the inbox take packages only when a key signed them that is trusted here. */
  readonly requireSignature: boolean
  readonly warmMs: number
  readonly checkpointSeconds: number
  /** 0: no limit. */
  readonly trainingMemoryBytes: number
  readonly notifications: NotificationConfig
  readonly dicom: DicomConfig
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

export interface NotificationConfig {
  /** Of the pages; undefined: where the server listens. */
  readonly origin: string | undefined
  /** undefined: no mails. The address may hold a password. */
  readonly mailServer: { readonly url: string; readonly from: string } | undefined
  readonly allowsPrivate: boolean
}

/** Resource limits of a training unless its own settings say otherwise. */
export interface ThermalConfig {
  /** null: never pauses for it. */
  readonly pauseAboveCelsius: number | null
  readonly resumeBelowCelsius: number
  readonly gpuPauseAboveCelsius: number | null
  readonly gpuResumeBelowCelsius: number
  /** 0.1 to 1. */
  readonly dutyCycle: number
  /** null: as many as an inference. */
  readonly threads: number | null
  readonly sensorsDir: string
}

/** How images come from, and results go to, an image archive. */
export interface DicomConfig {
  readonly stow: boolean
  readonly folder: string | undefined
  /** Without a trailing slash. */
  readonly archive: string | undefined
  readonly archiveAuthorization: string | undefined
  readonly pollMs: number
  readonly days: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** Still read where the present name is not set. */
const FORMER_NAMES: Partial<Record<SettingName, string>> = {
  ROENTGEN_CPU_RESUME_BELOW: 'ROENTGEN_CPU_GO_ON_BELOW',
  ROENTGEN_GPU_RESUME_BELOW: 'ROENTGEN_GPU_GO_ON_BELOW',
}

/** Reads and checks every setting. @throws AppError `setting`, its message names the variable and what it may be. */
export function readConfig(env: Environment = process.env): Config {
  const text = (name: SettingName): string => {
    const former = FORMER_NAMES[name]
    return env[name]?.trim() || (former && env[former]?.trim()) || SETTINGS[name][0]
  }
  const wrong = (name: SettingName, may: string): never => {
    throw new AppError('setting', `${name} is "${text(name)}", but must be ${may}.`)
  }
  const integer = (name: SettingName, min: number, max: number): number => {
    const value = Number(text(name))
    const fits = /^\d+$/.test(text(name)) && value >= min && value <= max
    return fits ? value : wrong(name, `a whole number from ${min} to ${max}`)
  }
  const oneOf = <const T extends string>(name: SettingName, choices: readonly T[]): T =>
    choices.find((choice) => choice === text(name)) ?? wrong(name, choices.join(', '))

  const webAddress = (name: SettingName): string => {
    const protocol = URL.parse(text(name))?.protocol ?? ''
    return ['https:', 'http:'].includes(protocol) ? text(name) : wrong(name, 'an https address')
  }

  const networks = (name: SettingName): readonly string[] => {
    const entries = text(name)
      .split(',')
      .map((entry) => entry.trim())
      .filter(Boolean)
    for (const entry of entries) {
      const [address = '', bits = '0', ...more] = entry.split('/')
      const max = isIPv4(address) ? 32 : 128
      const isNetwork = /^\d{1,3}$/.test(bits) && Number(bits) <= max && more.length === 0
      if (isIP(address) === 0 || !isNetwork) wrong(name, 'addresses or networks such as 10.0.0.0/8')
    }
    return entries
  }
  const basePath = (): string => {
    const path = text('ROENTGEN_BASE_PATH').replace(/\/+$/, '')
    const isPath = path === '' || (/^(\/[\w.~-]+)+$/.test(path) && !path.includes('/..'))
    return isPath ? path : wrong('ROENTGEN_BASE_PATH', 'a path such as /roentgen')
  }

  const open = oneOf('ROENTGEN_OPEN', ['0', '1']) === '1'
  const host = text('HOST')
  if (!open && !isLoopback(host)) {
    throw new AppError(
      'setting',
      `HOST is "${host}", which other machines can reach, and Roentgen has no users or passwords yet. ` +
        'Use HOST=127.0.0.1, or set ROENTGEN_OPEN=1 if everyone on that network may use it.',
    )
  }
  if (text('DATABASE_URL') !== '') {
    throw new AppError(
      'setting',
      'DATABASE_URL is set, but only the built-in SQLite database is supported; unset it.',
    )
  }
  const archive = text('ROENTGEN_DICOM_ARCHIVE').replace(/\/+$/, '')
  if (archive !== '' && !/^https?:$/.test(URL.parse(archive)?.protocol ?? '')) {
    wrong('ROENTGEN_DICOM_ARCHIVE', 'an address such as http://orthanc:8042/dicom-web')
  }
  return Object.freeze({
    port: integer('PORT', 0, 65535),
    host,
    open,
    allowedHosts: text('ROENTGEN_ALLOWED_HOSTS')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter(Boolean),
    trustedProxies: networks('ROENTGEN_TRUSTED_PROXIES'),
    basePath: basePath(),
    modelsDir: resolve(text('ROENTGEN_MODELS')),
    dataDir: resolve(text('ROENTGEN_DATA')),
    datasetsDir: resolve(text('ROENTGEN_DATASETS')),
    demo: oneOf('ROENTGEN_DEMO', ['auto', 'off']),
    engine: oneOf('ROENTGEN_ENGINE', ['auto', 'onnx', 'tensorflow']),
    tensorflowDir: text('ROENTGEN_TENSORFLOW') ? resolve(text('ROENTGEN_TENSORFLOW')) : undefined,
    weightsUrl: text('ROENTGEN_WEIGHTS_URL') ? webAddress('ROENTGEN_WEIGHTS_URL') : undefined,
    threads: integer('ROENTGEN_THREADS', 0, 1024) || availableParallelism(),
    imagingWorkers:
      integer('ROENTGEN_IMAGING_WORKERS', 0, 64) ||
      Math.min(MAX_IMAGING_WORKERS, availableParallelism()),
    thermal: {
      pauseAboveCelsius: integer('ROENTGEN_CPU_PAUSE_ABOVE', 0, 120) || null,
      resumeBelowCelsius: integer('ROENTGEN_CPU_RESUME_BELOW', 20, 120),
      gpuPauseAboveCelsius: integer('ROENTGEN_GPU_PAUSE_ABOVE', 0, 120) || null,
      gpuResumeBelowCelsius: integer('ROENTGEN_GPU_RESUME_BELOW', 20, 120),
      dutyCycle: integer('ROENTGEN_DUTY_CYCLE', 10, 100) / 100,
      threads: integer('ROENTGEN_TRAINING_THREADS', 0, 1024) || null,
      sensorsDir: resolve(text('ROENTGEN_SENSORS')),
    },
    hostMemoryBytes: integer('ROENTGEN_HOST_MEMORY', 64, 16_777_216) * MIB,
    queueLength: integer('ROENTGEN_QUEUE', 1, 100_000),
    maxUploadBytes: integer('ROENTGEN_MAX_UPLOAD_MB', 1, 4096) * MIB,
    maxUploadsBytes: integer('ROENTGEN_UPLOADS_MB', 1, 1_048_576) * MIB,
    maxUploadMemoryBytes: integer('ROENTGEN_UPLOAD_MEMORY_MB', 1, 1_048_576) * MIB,
    maxPixels: integer('ROENTGEN_MAX_PIXELS', 1024, 1_000_000_000),
    maxImportBytes: integer('ROENTGEN_MAX_IMPORT_MB', 1, 65_536) * MIB,
    keepUploadsMs: integer('ROENTGEN_KEEP_UPLOADS_HOURS', 1, 876_000) * 3_600_000,
    keepBinMs: integer('ROENTGEN_BIN_DAYS', 0, 36_500) * 86_400_000,
    keepVersions: integer('ROENTGEN_KEEP_VERSIONS', 0, 1_000_000),
    requireSignature: oneOf('ROENTGEN_REQUIRE_SIGNATURE', ['0', '1']) === '1',
    warmMs: integer('ROENTGEN_WARM_MINUTES', 0, 1440) * 60_000,
    checkpointSeconds: integer('ROENTGEN_CHECKPOINT_SECONDS', 0, 86_400),
    trainingMemoryBytes: integer('ROENTGEN_TRAINING_MEMORY', 0, 16_777_216) * MIB,
    notifications: {
      origin: text('ROENTGEN_URL') ? webAddress('ROENTGEN_URL') : undefined,
      mailServer: text('ROENTGEN_SMTP_URL')
        ? { url: mailServerAddress(text('ROENTGEN_SMTP_URL')), from: text('ROENTGEN_MAIL_FROM') }
        : undefined,
      allowsPrivate: oneOf('ROENTGEN_NOTIFY_PRIVATE', ['0', '1']) === '1',
    },
    dicom: {
      stow: oneOf('ROENTGEN_DICOM_STOW', ['0', '1']) === '1',
      folder: text('ROENTGEN_DICOM_FOLDER') ? resolve(text('ROENTGEN_DICOM_FOLDER')) : undefined,
      archive: archive || undefined,
      archiveAuthorization: text('ROENTGEN_DICOM_ARCHIVE_AUTH') || undefined,
      pollMs: integer('ROENTGEN_DICOM_POLL_SECONDS', 1, 86_400) * 1000,
      days: integer('ROENTGEN_DICOM_DAYS', 0, 36_500),
    },
    logLevel: oneOf('ROENTGEN_LOG', ['debug', 'info', 'warn', 'error', 'silent']),
  })
}

/** Said without its value, which may hold a password. @throws AppError `setting` */
function mailServerAddress(text: string): string {
  const url = URL.parse(text)
  if (url && ['smtp:', 'smtps:'].includes(url.protocol) && url.hostname !== '') return text
  throw new AppError('setting', 'ROENTGEN_SMTP_URL must be like smtp://user:password@host:587.')
}

/** The environment's settings with some replaced, as by options of the command line. */
export function readConfigWith(overrides: Partial<Record<SettingName, string>>): Config {
  return readConfig({ ...process.env, ...overrides })
}

/** Variables that can change what a training computes; none of them holds a secret. */
const RECORDED = [
  ...[
    'CUDA_VISIBLE_DEVICES',
    'CUDA_DEVICE_ORDER',
    'NVIDIA_VISIBLE_DEVICES',
    'NVIDIA_TF32_OVERRIDE',
  ],
  ...['TF_CPP_MIN_LOG_LEVEL', 'TF_FORCE_GPU_ALLOW_GROWTH', 'TF_DETERMINISTIC_OPS'],
  ...['TF_ENABLE_ONEDNN_OPTS', 'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'TF_XLA_FLAGS'],
  ...['OMP_NUM_THREADS', 'OMP_WAIT_POLICY', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'],
  ...['PYTHONHASHSEED', 'NODE_ENV', 'UV_THREADPOOL_SIZE', 'LANG', 'TZ'],
  ...['ROENTGEN_ENGINE', 'ROENTGEN_THREADS', 'ROENTGEN_TRAINING_THREADS', 'ROENTGEN_DUTY_CYCLE'],
  ...['ROENTGEN_CPU_PAUSE_ABOVE', 'ROENTGEN_CPU_RESUME_BELOW'],
  ...['ROENTGEN_GPU_PAUSE_ABOVE', 'ROENTGEN_GPU_RESUME_BELOW'],
] as const
/** No path, and nothing long enough to be a key. */
const HARMLESS = /^[\w .,:;=+-]{1,60}$/

export interface RecordedEnvironment {
  /** null: its value is not harmless. */
  readonly set: Readonly<Record<string, string | null>>
  readonly notSet: readonly string[]
  /** How many other variables there are. */
  readonly notRecorded: number
}

/** The part of the environment that may go into the record of a training. */
export function recordedEnvironment(env: Environment = process.env): RecordedEnvironment {
  const set = RECORDED.flatMap((name) => {
    const value = env[name]
    return value ? [[name, HARMLESS.test(value) ? value : null] as const] : []
  })
  const known = new Set<string>(RECORDED)
  return {
    set: Object.fromEntries(set),
    notSet: RECORDED.filter((name) => !env[name]),
    notRecorded: Object.keys(env).filter((name) => !known.has(name)).length,
  }
}

/** Without these a program does not start on every system. None of them holds a secret. */
const SYSTEM = ['SystemRoot', 'windir', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'TZ'] as const

/** All of the environment that a confined process is given. */
export function systemEnvironment(
  env: Environment = process.env,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    SYSTEM.flatMap((name) => {
      const value = env[name]
      return value ? [[name, value]] : []
    }),
  )
}

/** Loopback names and addresses, as in RFC 6761 and RFC 1122. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1' || host === '[::1]') return true
  return host.startsWith('127.') && isIPv4(host)
}
