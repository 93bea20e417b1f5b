// results/metadata.json: when and how long, what was written, how large it is and by which digests it is known again. Written
// after everything but the manifest, which has the digests of this file too.
import { join } from 'node:path'
import { z } from 'zod'
import { hashFile } from '../../package/hash-file.ts'
import { listFiles } from '../../package/package-paths.ts'
import {
  absent,
  DurationSchema,
  durationOf,
  MomentSchema,
  momentOf,
  SizeSchema,
  sizeOf,
  valueOrReason,
} from './known.ts'
import { productVersion } from './machine/installed-packages.ts'
import { json, type PackageContext, writeFiles } from './package-context.ts'

const GROUPS = ['models', 'configs', 'results', 'documentation'] as const

export const MetadataFileSchema = z.strictObject({
  schema: z.literal(2),
  run: z.string(),
  model: z.strictObject({ condition: z.string(), name: z.string(), architecture: z.string() }),
  producer: z.strictObject({ name: z.literal('Roentgen'), version: z.string() }),
  time: z.strictObject({
    startedAt: MomentSchema,
    endedAt: MomentSchema,
    writtenAt: MomentSchema,
    timeZone: z.string(),
    /** From the first start until it was evaluated, interruptions included; writing is a phase of its own. */
    duration: DurationSchema,
    /** The same without interruptions: the sum of its phases. */
    worked: DurationSchema,
    /** Each time that the run was started or resumed. */
    starts: z.array(MomentSchema).min(1),
  }),
  /** Of all starts of a run that was resumed. */
  phases: z.strictObject({
    preparing: DurationSchema,
    building: DurationSchema,
    training: DurationSchema,
    evaluating: DurationSchema,
    writing: DurationSchema,
  }),
  sizes: z.strictObject({
    models: SizeSchema,
    configs: SizeSchema,
    results: SizeSchema,
    documentation: SizeSchema,
    total: SizeSchema,
  }),
  /** Everything but this file and the manifest. */
  files: z
    .array(
      z.strictObject({
        path: z.string(),
        group: z.enum(GROUPS),
        size: SizeSchema,
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        md5: z.string().regex(/^[0-9a-f]{32}$/),
      }),
    )
    .min(1),
  initFrom: valueOrReason(z.string()),
  tags: z.array(z.string()),
})
type Metadata = z.infer<typeof MetadataFileSchema>

export async function writeMetadata(c: PackageContext): Promise<void> {
  const files: Metadata['files'] = []
  for (const path of await listFiles(c.dir)) {
    const { size, sha256, md5 } = await hashFile(join(c.dir, path))
    files.push({ path, group: groupOf(path), size: sizeOf(size), sha256, md5 })
  }
  const total = (group?: Metadata['files'][number]['group']) =>
    sizeOf(
      files
        .filter((one) => group === undefined || one.group === group)
        .reduce((sum, { size }) => sum + size.bytes, 0),
    )
  const phase = (name: string) => durationOf(c.phases[name] ?? 0)
  const now = new Date()
  const file: Metadata = {
    schema: 2,
    run: c.job.id,
    model: {
      condition: c.job.condition.id,
      name: c.name,
      architecture: c.architecture.name,
    },
    producer: { name: 'Roentgen', version: await productVersion() },
    time: {
      startedAt: momentOf(c.startedAt),
      endedAt: momentOf(c.endedAt),
      writtenAt: momentOf(now),
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      duration: durationOf((c.endedAt.getTime() - c.startedAt.getTime()) / 1000),
      worked: durationOf(Object.values(c.phases).reduce((sum, seconds) => sum + seconds, 0)),
      starts: c.observed.starts.map((at) => momentOf(new Date(at))),
    },
    phases: {
      preparing: phase('preparing'),
      building: phase('building'),
      training: phase('training'),
      evaluating: phase('evaluating'),
      writing: durationOf((now.getTime() - c.endedAt.getTime()) / 1000),
    },
    sizes: {
      models: total('models'),
      configs: total('configs'),
      results: total('results'),
      documentation: total('documentation'),
      total: total(),
    },
    files,
    initFrom: c.job.initFrom?.version ?? absent('It started from no other version.'),
    tags: [...(c.job.tags ?? [])],
  }
  await writeFiles(c.dir, { 'results/metadata.json': json(file) })
}

function groupOf(path: string): Metadata['files'][number]['group'] {
  const [first] = path.split('/')
  return GROUPS.find((group) => group === first) ?? 'documentation'
}
