// What SUMMARY.txt and README.md say about a trial in eight bits; nothing where none was asked for.
import type { Int8Trial } from './try-int8.ts'

export function int8Summary(trial: Int8Trial | null): string {
  if (!trial) return ''
  return `${'Int8'.padEnd(20)}${trial.offered ? 'offered' : 'not offered'}: ${trial.reason}\n`
}

/** A section of the model card. */
export function int8Card(trial: Int8Trial | null): string {
  if (!trial) return ''
  const what = trial.offered
    ? 'The package also holds this model in eight bits, with golden outputs, a temperature and operating points of its own; ' +
      'which of the two answers is chosen when the version is activated'
    : 'The model was also tried in eight bits, and that form is not offered'
  return `
## Precision

${what}: ${trial.reason}. Figures: \`results/precision.json\`.
`
}
