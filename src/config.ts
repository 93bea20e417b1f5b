// The environment, read once into a frozen Config; the only place that reads process.env.
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { AppError } from './errors.ts'

const MIB = 1024 * 1024

/** Every setting: environment variable, default, and what it does. The README lists the same (a test compares). */
export const SETTINGS = {
  PORT: ['7860', 'TCP port to listen on; 0 takes a free one'],
  HOST: ['127.0.0.1', 'address to listen on; anything but loopback needs ROENTGEN_OPEN=1'],
  ROENTGEN_OPEN: [
    '0',
    '1 allows a HOST that other machines can reach, although there are no users yet',
  ],
  ROENTGEN_ALLOWED_HOSTS: ['', 'further Host names that requests may carry, separated by commas'],
  ROENTGEN_MODELS: ['models', 'the model store'],
  ROENTGEN_DATA: ['data', 'database, uploads, private copies of active models'],
  ROENTGEN_DATASETS: ['Dataset', 'folder of labelled images'],
  ROENTGEN_DEMO: ['auto', 'auto gives an empty model store the demonstration models; off does not'],
  DATABASE_URL: ['', 'unset: SQLite in the data folder'],
  ROENTGEN_ENGINE: ['auto', 'auto, onnx or tensorflow'],
  ROENTGEN_TENSORFLOW: ['', "a folder with TensorFlow's library for TF.js, if not Roentgen's own"],
  ROENTGEN_WEIGHTS_URL: [
    '',
    'a mirror of published weights: their files under one address, if not where they are published',
  ],
  ROENTGEN_THREADS: ['0', 'threads of one inference; 0 takes all cores'],
  ROENTGEN_TRAINING_THREADS: ['0', 'most threads of a training; 0 takes ROENTGEN_THREADS'],
  ROENTGEN_CPU_PAUSE_ABOVE: [
    '90',
    '°C of the processor at which a training takes a cooling break; 0 never does',
  ],
  ROENTGEN_CPU_GO_ON_BELOW: ['80', '°C of the processor below which it goes on'],
  ROENTGEN_GPU_PAUSE_ABOVE: ['85', '°C of a graphics card at which it takes a cooling break'],
  ROENTGEN_GPU_GO_ON_BELOW: ['75', '°C of a graphics card below which it goes on'],
  ROENTGEN_DUTY_CYCLE: ['100', 'percent of the time that a training computes; it rests the others'],
  ROENTGEN_SENSORS: ['/sys', 'where the system shows its temperature sensors'],
  ROENTGEN_HOST_MEMORY: [
    '4096',
    'MiB that all model hosts together may use before the least used is ended',
  ],
  ROENTGEN_QUEUE: ['64', 'requests that may wait for an inference before 503 is answered'],
  ROENTGEN_MAX_UPLOAD_MB: ['64', 'largest upload of an image, MiB'],
  ROENTGEN_MAX_PIXELS: ['100000000', 'most pixels of an image'],
  ROENTGEN_MAX_IMPORT_MB: ['2048', 'largest upload of a package, MiB'],
  ROENTGEN_KEEP_UPLOADS_HOURS: ['720', 'hours until a prediction and its image are forgotten'],
  ROENTGEN_BIN_DAYS: ['30', 'days that a deleted version can be put back before its files go'],
  ROENTGEN_KEEP_VERSIONS: [
    '0',
    'newest versions of a name to keep, older untagged ones go to the bin; 0 keeps all',
  ],
  ROENTGEN_WARM_MINUTES: [
    '10',
    'minutes that the previous version stays loaded for an instant rollback',
  ],
  ROENTGEN_CHECKPOINT_SECONDS: [
    '120',
    'seconds between two checkpoints within an epoch of a training; 0 takes one after each batch',
  ],
  ROENTGEN_TRAINING_MEMORY: [
    '0',
    'MiB that a training may use before it is ended and a smaller batch offered; 0 sets no limit',
  ],
  ROENTGEN_LOG: ['warn', 'least level that is logged: debug, info, warn, error or silent'],
} as const satisfies Record<string, readonly [string, string]>

export type SettingName = keyof typeof SETTINGS

export interface Config {
  readonly port: number
  readonly host: string
  readonly open: boolean
  readonly allowedHosts: readonly string[]
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
  readonly cooling: CoolingConfig
  readonly hostMemoryBytes: number
  readonly queueLength: number
  readonly maxUploadBytes: number
  readonly maxPixels: number
  readonly maxImportBytes: number
  readonly keepUploadsMs: number
  readonly keepBinMs: number
  readonly keepVersions: number
  readonly warmMs: number
  readonly checkpointSeconds: number
  /** 0: no limit. */
  readonly trainingMemoryBytes: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

/** What a training spares the machine unless its own settings say otherwise. */
export interface CoolingConfig {
  /** null: never pauses for it. */
  readonly pauseAboveCelsius: number | null
  readonly goOnBelowCelsius: number
  readonly gpuPauseAboveCelsius: number | null
  readonly gpuGoOnBelowCelsius: number
  /** 0.1 to 1. */
  readonly dutyCycle: number
  /** null: as many as an inference. */
  readonly threads: number | null
  readonly sensorsDir: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads and checks every setting. @throws AppError `setting`, its message names the variable and what it may be. */
export function readConfig(env: Environment = process.env): Config {
  const text = (name: SettingName): string => env[name]?.trim() || SETTINGS[name][0]
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
  return Object.freeze({
    port: integer('PORT', 0, 65535),
    host,
    open,
    allowedHosts: text('ROENTGEN_ALLOWED_HOSTS')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter(Boolean),
    modelsDir: resolve(text('ROENTGEN_MODELS')),
    dataDir: resolve(text('ROENTGEN_DATA')),
    datasetsDir: resolve(text('ROENTGEN_DATASETS')),
    demo: oneOf('ROENTGEN_DEMO', ['auto', 'off']),
    engine: oneOf('ROENTGEN_ENGINE', ['auto', 'onnx', 'tensorflow']),
    tensorflowDir: text('ROENTGEN_TENSORFLOW') ? resolve(text('ROENTGEN_TENSORFLOW')) : undefined,
    weightsUrl: text('ROENTGEN_WEIGHTS_URL') ? webAddress('ROENTGEN_WEIGHTS_URL') : undefined,
    threads: integer('ROENTGEN_THREADS', 0, 1024) || availableParallelism(),
    cooling: {
      pauseAboveCelsius: integer('ROENTGEN_CPU_PAUSE_ABOVE', 0, 120) || null,
      goOnBelowCelsius: integer('ROENTGEN_CPU_GO_ON_BELOW', 20, 120),
      gpuPauseAboveCelsius: integer('ROENTGEN_GPU_PAUSE_ABOVE', 0, 120) || null,
      gpuGoOnBelowCelsius: integer('ROENTGEN_GPU_GO_ON_BELOW', 20, 120),
      dutyCycle: integer('ROENTGEN_DUTY_CYCLE', 10, 100) / 100,
      threads: integer('ROENTGEN_TRAINING_THREADS', 0, 1024) || null,
      sensorsDir: resolve(text('ROENTGEN_SENSORS')),
    },
    hostMemoryBytes: integer('ROENTGEN_HOST_MEMORY', 64, 16_777_216) * MIB,
    queueLength: integer('ROENTGEN_QUEUE', 1, 100_000),
    maxUploadBytes: integer('ROENTGEN_MAX_UPLOAD_MB', 1, 4096) * MIB,
    maxPixels: integer('ROENTGEN_MAX_PIXELS', 1024, 1_000_000_000),
    maxImportBytes: integer('ROENTGEN_MAX_IMPORT_MB', 1, 65_536) * MIB,
    keepUploadsMs: integer('ROENTGEN_KEEP_UPLOADS_HOURS', 1, 876_000) * 3_600_000,
    keepBinMs: integer('ROENTGEN_BIN_DAYS', 0, 36_500) * 86_400_000,
    keepVersions: integer('ROENTGEN_KEEP_VERSIONS', 0, 1_000_000),
    warmMs: integer('ROENTGEN_WARM_MINUTES', 0, 1440) * 60_000,
    checkpointSeconds: integer('ROENTGEN_CHECKPOINT_SECONDS', 0, 86_400),
    trainingMemoryBytes: integer('ROENTGEN_TRAINING_MEMORY', 0, 16_777_216) * MIB,
    logLevel: oneOf('ROENTGEN_LOG', ['debug', 'info', 'warn', 'error', 'silent']),
  })
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
  ...['ROENTGEN_CPU_PAUSE_ABOVE', 'ROENTGEN_CPU_GO_ON_BELOW'],
  ...['ROENTGEN_GPU_PAUSE_ABOVE', 'ROENTGEN_GPU_GO_ON_BELOW'],
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

/** Loopback names and addresses, as in RFC 6761 and RFC 1122. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
  )
}
