// results/metadata.json: when, how long and on what machine a model was trained.
import { describeMachine, readableDuration } from './machine.ts'
import { json, type PackageContext, writeFiles } from './package-context.ts'

export async function writeMetadata(c: PackageContext): Promise<void> {
  const seconds = (c.endedAt.getTime() - c.startedAt.getTime()) / 1000
  const { user, system } = process.cpuUsage()
  await writeFiles(c.dir, {
    'results/metadata.json': json({
      schema: 1,
      run: c.job.id,
      startedAt: c.startedAt.toISOString(),
      endedAt: c.endedAt.toISOString(),
      durationSeconds: seconds,
      duration: readableDuration(seconds),
      phasesSeconds: c.phases,
      cpuSeconds: (user + system) / 1e6,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      ...(await describeMachine()),
    }),
  })
}
