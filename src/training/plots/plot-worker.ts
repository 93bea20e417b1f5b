// The thread of plot-job.ts: one job, one answer.
import { parentPort, workerData } from 'node:worker_threads'
import { readPackageResults } from './package-plots.ts'
import type { PlotJob } from './plot-job.ts'
import { plotFiles } from './write-plots.ts'

const job = workerData as PlotJob
parentPort?.postMessage(
  job.do === 'read'
    ? await readPackageResults(job.packageDir, job.subject)
    : await plotFiles([job.plot], job.about),
)
