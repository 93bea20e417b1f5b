// The thread of plot-job.ts: one job, one answer.
import { parentPort, workerData } from 'node:worker_threads'
import { assess } from '../assess.ts'
import { readPackageResults } from './package-plots.ts'
import type { PlotJob } from './plot-job.ts'
import { figuresOf } from './result-plots.ts'
import { plotFiles } from './write-plots.ts'

const job = workerData as PlotJob
parentPort?.postMessage(await work())

function work(): unknown {
  switch (job.do) {
    case 'read':
      return readPackageResults(job.packageDir, job.subject)
    case 'measure': {
      const { answers: _, ...assessment } = assess(job.input)
      const { outputs, calibration } = job.input
      const temperature = calibration?.temperature ?? null
      return { assessment, figures: figuresOf(assessment, { outputs, temperature }) }
    }
    case 'draw':
      return plotFiles([job.plot], job.about)
  }
}
