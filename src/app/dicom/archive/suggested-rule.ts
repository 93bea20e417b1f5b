// What a condition would read by itself, as its body part suggests; a person turns it on and may change it.
import { subjectOf } from '../../../imaging/suitability/subject.ts'
import type { ArchiveRule } from '../../../registry/archive/archive-rules.ts'

export function suggestedRule(condition: {
  readonly name: string
  readonly bodyPart: string
}): Omit<ArchiveRule, 'condition'> {
  const { kind, region } = subjectOf(condition)
  return {
    enabled: false,
    modalities: kind === 'photograph' ? ['XC', 'GM', 'DMS'] : ['CR', 'DX'],
    bodyParts: kind === 'photograph' ? ['SKIN'] : [...(region?.terms ?? [])],
    unnamedPart: false,
  }
}
