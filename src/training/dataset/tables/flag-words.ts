// The words of a column that says yes or no. An empty cell says neither: it is unlabelled, never healthy.

export type Flag = 'yes' | 'no' | 'uncertain' | 'unlabelled'

const WORDS: Readonly<Record<Flag, readonly string[]>> = {
  yes: ['1', '1.0', 'y', 'yes', 't', 'true', 'pos', 'positive', 'present', '+'],
  no: ['0', '0.0', 'n', 'no', 'f', 'false', 'neg', 'negative', 'absent', '-'],
  // CheXpert (Irvin et al. 2019) writes -1 where the report is not sure.
  uncertain: ['-1', '-1.0', 'uncertain', 'equivocal', 'u', '?'],
  unlabelled: ['', 'nan', 'na', 'n/a', 'null', 'none'],
}
const FLAGS = new Map(
  Object.entries(WORDS).flatMap(([flag, words]) => words.map((word) => [word, flag as Flag])),
)

/** Undefined for a word that is none of them. */
export function findFlag(cell: string): Flag | undefined {
  return FLAGS.get(cell.toLowerCase())
}

/** True for a column that says yes or no at least once and nothing else. */
export function isFlagColumn(cells: readonly string[]): boolean {
  let says = false
  for (const cell of cells) {
    const flag = findFlag(cell)
    if (flag === undefined) return false
    says ||= flag === 'yes' || flag === 'no'
  }
  return says
}
