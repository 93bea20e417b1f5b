// results/environment.json: the machine, what computed on it, every library, and the few environment variables that can
// change a result.
import os from 'node:os'
import process from 'node:process'
import { z } from 'zod'
import { recordedEnvironment } from '../../../config.ts'
import { ONNX_RUNTIME_VERSION } from '../../../engine/session.ts'
import {
  absent,
  DurationSchema,
  durationOf,
  MomentSchema,
  momentOf,
  valueOrReason,
} from '../known.ts'
import { json, type PackageContext, writeFiles } from '../package-context.ts'
import { describeGit, GitSchema } from './git-state.ts'
import { describeSystem, SystemSchema } from './hardware.ts'
import { installedPackages, PackagesSchema, productVersion } from './installed-packages.ts'

export const EnvironmentFileSchema = z.strictObject({
  schema: z.literal(2),
  system: SystemSchema,
  /** Seeds ask for Python, which is not used, and for paths, which do not travel. */
  python: valueOrReason(z.strictObject({ version: z.string() })),
  paths: valueOrReason(z.array(z.string())),
  runtime: z.strictObject({
    node: z.string(),
    v8: z.string(),
    uv: z.string(),
    roentgen: z.string(),
  }),
  engine: z.strictObject({
    name: z.string(),
    version: z.string(),
    device: z.enum(['cpu', 'gpu']),
    threads: valueOrReason(z.int()),
    precision: z.string(),
    mixedPrecision: z.boolean(),
    /** Whether operations run one by one as they are met, and not as one graph. */
    eagerExecution: z.boolean(),
    gpuMemoryGrowth: valueOrReason(z.boolean()),
    tensorflowJs: z.string(),
  }),
  process: z.strictObject({
    id: z.int(),
    /** -20 (first) to 19 (last), as Unix has it. */
    priority: z.int(),
    uptime: DurationSchema,
    cpuTime: DurationSchema,
  }),
  systemState: z.strictObject({
    bootedAt: MomentSchema,
    uptime: DurationSchema,
    /** Processes that wanted a processor over 1, 5 and 15 minutes; 0 on Windows. */
    loadAverages: z.tuple([z.number(), z.number(), z.number()]),
    timeZone: z.string(),
  }),
  git: GitSchema,
  packages: PackagesSchema,
  environmentVariables: z.strictObject({
    rule: z.string(),
    set: z.record(z.string(), valueOrReason(z.string())),
    notSet: z.array(z.string()),
    notRecorded: z.int(),
  }),
})

const LEFT_OUT = 'Set, but left out: it may name a path or hold a secret.'
const RULE =
  'Only variables of a fixed list are kept, which cannot hold a secret; a value that looks like a path is left out. The others are only counted.'

export async function writeEnvironment(c: PackageContext): Promise<void> {
  const packages = await installedPackages()
  const { set, notSet, notRecorded } = recordedEnvironment()
  const variables = Object.entries(set).map(
    ([name, value]) => [name, value ?? absent(LEFT_OUT)] as const,
  )
  const [one = 0, five = 0, fifteen = 0] = os.loadavg()
  const { user, system } = process.cpuUsage()
  const file: z.infer<typeof EnvironmentFileSchema> = {
    schema: 2,
    system: await describeSystem({ workDir: c.dir, gpus: c.observed.gpus }),
    python: absent('Training is TypeScript on Node.js; no Python takes part.'),
    paths: absent('A package travels: paths of the machine that made it are left out.'),
    runtime: {
      node: process.version,
      v8: process.versions.v8,
      uv: process.versions.uv,
      roentgen: await productVersion(),
    },
    engine: engineOf(c, 'value' in packages ? {} : (packages as Record<string, string>)),
    process: {
      id: process.pid,
      priority: os.getPriority(),
      uptime: durationOf(process.uptime()),
      cpuTime: durationOf((user + system) / 1e6),
    },
    systemState: {
      bootedAt: momentOf(new Date(Date.now() - os.uptime() * 1000)),
      uptime: durationOf(os.uptime()),
      loadAverages: [one, five, fifteen],
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    git: await describeGit(c.job.datasetDir),
    packages,
    environmentVariables: {
      rule: RULE,
      set: Object.fromEntries(variables),
      notSet: [...notSet],
      notRecorded,
    },
  }
  await writeFiles(c.dir, { 'results/environment.json': json(file) })
}

function engineOf(c: PackageContext, packages: Readonly<Record<string, string>>) {
  const isNative = c.engine === 'tensorflow'
  const onGpu = isNative && c.observed.gpus.length > 0
  return {
    name: isNative
      ? 'TensorFlow (TF.js, native library)'
      : 'ONNX Runtime (graphs traced from TF.js)',
    version: isNative
      ? (packages['@tensorflow/tfjs-node-gpu'] ?? packages['@tensorflow/tfjs-node'] ?? 'unknown')
      : ONNX_RUNTIME_VERSION,
    device: onGpu ? ('gpu' as const) : ('cpu' as const),
    threads: isNative ? absent('TensorFlow takes all cores.') : c.job.threads,
    precision: 'float32',
    mixedPrecision: false,
    eagerExecution: isNative,
    gpuMemoryGrowth: onGpu ? true : absent('No graphics card computed.'),
    tensorflowJs: packages['@tensorflow/tfjs'] ?? 'unknown',
  }
}
