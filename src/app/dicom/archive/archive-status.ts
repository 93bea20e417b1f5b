// What goes on between Roentgen and the archive, for the page and for programs.

import {
  type ArchiveJob,
  countArchiveJobs,
  listArchiveJobs,
} from '../../../registry/archive/archive-jobs.ts'
import { type ArchiveRule, listArchiveRules } from '../../../registry/archive/archive-rules.ts'
import { listConditions } from '../../../registry/conditions/conditions.ts'
import type { Uses } from '../../services.ts'
import type { Archive, SourceStatus } from './archive.ts'
import { suggestedRule } from './suggested-rule.ts'

export interface ArchiveStatus {
  readonly sources: readonly SourceStatus[]
  readonly counts: Readonly<Record<ArchiveJob['state'], number>>
  /** One for each condition, also those that nobody has set. */
  readonly rules: readonly (ArchiveRule & { readonly name: string })[]
  /** Newest first. */
  readonly items: readonly ArchiveJob[]
}

const SHOWN = 100

export async function archiveStatus(
  services: Uses<'db'> & { readonly archive: Archive },
): Promise<ArchiveStatus> {
  const { db } = services
  const set = new Map((await listArchiveRules(db)).map((rule) => [rule.condition, rule]))
  const rules = (await listConditions(db)).map((condition) => ({
    ...suggestedRule(condition),
    condition: condition.id,
    ...set.get(condition.id),
    name: condition.name,
  }))
  const items = await listArchiveJobs(db, SHOWN)
  return { sources: services.archive.sources(), counts: await countArchiveJobs(db), rules, items }
}
