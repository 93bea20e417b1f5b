// Images dealt into folds: whole groups (patients, lesions) together, classes spread evenly, fixed by seed and content.
import { uniformAt } from '../../engine/random/counter-random.ts'
import { counterOf, PURPOSE } from '../../engine/random/draw-purposes.ts'
import type { PreparedImage } from '../dataset/prepared.ts'

export const FOLDS = 5

type Dealt = Pick<PreparedImage, 'sha256' | 'group' | 'classes'>

/** The fold of each image, 0 to `FOLDS` - 1. Larger groups first, each to the fold that has least of its class. */
export function dealFolds(images: readonly Dealt[], seed: number): number[] {
  const groups = [...Map.groupBy(images.keys(), (at) => groupOf(images[at] as Dealt)).entries()]
    .map(([name, members]) => ({
      members,
      label: images[members[0] ?? 0]?.classes[0] ?? 0,
      draw: uniformAt(seed, PURPOSE.split, counterOf(name)),
    }))
    .sort((a, b) => b.members.length - a.members.length || a.draw - b.draw)
  const folds = images.map(() => 0)
  const counts = new Map<number, number[]>()
  for (const { members, label } of groups) {
    const ofLabel = counts.get(label) ?? new Array<number>(FOLDS).fill(0)
    counts.set(label, ofLabel)
    const fold = ofLabel.indexOf(Math.min(...ofLabel))
    ofLabel[fold] = (ofLabel[fold] as number) + members.length
    for (const at of members) folds[at] = fold
  }
  return folds
}

function groupOf({ group, sha256 }: Dealt): string {
  return group ?? sha256
}
