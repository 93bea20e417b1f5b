// The process of comparison-process.ts: one request, one answer, then it ends.
import { isAppError } from '../../errors.ts'
import { answerParent } from '../../processes/child-answer.ts'
import { type ComparisonSource, compareModels } from './collect.ts'
import type { ComparisonAnswer, ComparisonJob, ComparisonRequest } from './comparison-process.ts'
import { comparisonSource } from './comparison-source.ts'
import { comparisonFiles } from './write-comparison.ts'

answerParent(answerTo)

async function answerTo(request: ComparisonRequest): Promise<ComparisonAnswer> {
  try {
    if (request.do === 'draw') return { files: await comparisonFiles(request.results) }
    return { results: await compare(request.job) }
  } catch (error) {
    if (!isAppError(error)) throw error
    return { problem: { code: error.code, message: error.message } }
  }
}

async function compare({ packages, subject, threads }: ComparisonJob) {
  const sources: ComparisonSource[] = []
  // One after the other: times are those of a machine that does nothing else here.
  for (const one of packages) sources.push(await comparisonSource(one, threads))
  return compareModels(sources, subject)
}
