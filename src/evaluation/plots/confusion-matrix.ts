// What is against what was said: counts and shares of each row. Exclusive classes have one matrix; labels that may come
// together have one table of two by two each.
import { el, fitted, type Plot, type PlotNode, place, text, textWidth } from './node.ts'

export interface LabelCounts {
  readonly label: string
  readonly tp: number
  readonly fp: number
  readonly tn: number
  readonly fn: number
}

/** Either of the two is given. */
export interface Confusion {
  readonly labels: readonly string[]
  /** Rows: truth, columns: answer. */
  readonly matrix: readonly (readonly number[])[] | null
  readonly perLabel: readonly LabelCounts[]
}

const FILL = '#0072b2'
/** Darkest cell, still light enough for the dark figures in it. */
const DEEPEST = 0.6

export function confusionMatrix({ labels, matrix, perLabel }: Confusion): Plot {
  return matrix ? oneMatrix(labels, matrix) : smallTables(perLabel)
}

function oneMatrix(labels: readonly string[], matrix: readonly (readonly number[])[]): Plot {
  const side = labels.length <= 3 ? 92 : labels.length <= 8 ? 50 : Math.max(22, 400 / labels.length)
  const longest = Math.max(...labels.map((label) => [...label].length))
  const room = Math.min(110, 14 + 6 * longest)
  const left = room + 22
  const size = side * labels.length
  const turned = 6 * longest > side - 4
  const top = turned ? Math.min(80, 16 + 4.6 * longest) : 20
  const right = Math.min(76, turned ? 4.6 * longest : 8)
  const total = matrix.flat().reduce((sum, n) => sum + n, 0)
  const hit = matrix.reduce((sum, row, k) => sum + (row[k] ?? 0), 0)
  const cells = matrix.flatMap((row, y) => {
    const of = row.reduce((sum, n) => sum + n, 0)
    return row.flatMap((n, x) =>
      drawCell([left + x * side, top + y * side], { side, n, of, isHit: x === y }),
    )
  })
  const names = labels.flatMap((label, k) => {
    const middle = (k + 0.5) * side
    const words = fitted(label, room - 10)
    return [
      text(words, [left - 8, top + middle + 3.5], { anchor: 'end' }),
      turned
        ? text(fitted(label, 96), [left + middle - 2, top - 6], { turn: -40 })
        : text(words, [left + middle, top - 7], { anchor: 'middle' }),
    ]
  })
  const each = matrix.map((row, k) => {
    const of = row.reduce((sum, n) => sum + n, 0)
    return `${labels[k]} ${row[k]} of ${of} right`
  })
  return {
    name: 'confusion_matrix',
    title: 'Confusion matrix',
    description: `${hit} of ${total} right; ${each.join(', ')}`,
    // The line below is as wide as 46 letters of 9 points.
    width: Math.max(left + size + right, left + size / 2 + textWidth('x'.repeat(46), 9) / 2),
    height: top + size + 42,
    body: [
      ...cells,
      ...names,
      text('actual', [12, top + size / 2], { anchor: 'middle', turn: -90, bold: true }),
      text('predicted', [left + size / 2, top + size + 17], {
        anchor: 'middle',
        bold: true,
      }),
      text('images, with the share of the row', [left + size / 2, top + size + 32], {
        anchor: 'middle',
        size: 9,
        faint: true,
      }),
    ],
  }
}

interface Cell {
  readonly side: number
  readonly n: number
  /** Images of the row. */
  readonly of: number
  readonly isHit: boolean
}

function drawCell([x, y]: readonly [number, number], { side, n, of, isHit }: Cell): PlotNode[] {
  const share = of === 0 ? 0 : n / of
  const middle = x + side / 2
  const size = side >= 80 ? 15 : side >= 40 ? 11 : 8
  const percent = share > 0 && share < 0.005 ? '<1%' : `${Math.round(100 * share)}%`
  const isSmall = side < 30
  return [
    el('rect', {
      class: 'plot-cell',
      x: place(x + 0.75),
      y: place(y + 0.75),
      width: place(side - 1.5),
      height: place(side - 1.5),
      fill: FILL,
      'fill-opacity': place(0.03 + DEEPEST * share),
      stroke: isHit ? '#1a1a1a' : '#c3c9ce',
      'stroke-width': isHit ? 1.5 : 0.5,
    }),
    text(String(n), [middle, y + side / 2 + (isSmall ? 3 : 0)], {
      size,
      anchor: 'middle',
      bold: isHit,
    }),
    ...(isSmall
      ? []
      : [text(percent, [middle, y + side / 2 + size], { size: size * 0.78, anchor: 'middle' })]),
  ]
}

const TABLE = { cell: 56, width: 176, height: 162 }

/** Rows: the finding is there or not; columns: it was said or not. */
function smallTables(perLabel: readonly LabelCounts[]): Plot {
  const columns = Math.min(4, Math.max(1, Math.ceil(Math.sqrt(perLabel.length))))
  const body = perLabel.flatMap(({ label, tp, fp, tn, fn }, k) => {
    const x = (k % columns) * TABLE.width
    const y = Math.floor(k / columns) * TABLE.height
    const [left, top, side] = [x + 52, y + 36, TABLE.cell]
    const row = (at: number, [a, b]: readonly [number, number]): PlotNode[] => [
      ...drawCell([left, top + at * side], { side, n: a, of: a + b, isHit: at === 0 }),
      ...drawCell([left + side, top + at * side], { side, n: b, of: a + b, isHit: at === 1 }),
      text(at === 0 ? 'present' : 'absent', [left - 5, top + (at + 0.5) * side + 3], {
        size: 9,
        anchor: 'end',
      }),
    ]
    return [
      text(fitted(label, TABLE.width - 20), [left + side, y + 14], {
        bold: true,
        anchor: 'middle',
      }),
      text('said', [left + side / 2, y + 29], { size: 9, anchor: 'middle' }),
      text('absent', [left + 1.5 * side, y + 29], { size: 9, anchor: 'middle' }),
      ...row(0, [tp, fn]),
      ...row(1, [fp, tn]),
    ]
  })
  const rows = Math.ceil(perLabel.length / columns)
  const each = perLabel.map(({ label, tp, fn, fp, tn }) => {
    return `${label}: found in ${tp} of ${tp + fn}, false positive in ${fp} of ${fp + tn}`
  })
  return {
    name: 'confusion_matrix',
    title: 'Confusion matrix of each label',
    description: each.join('; '),
    width: Math.max(columns * TABLE.width, 260),
    height: rows * TABLE.height + 14,
    body: [
      ...body,
      text('images, with the share of the row', [8, rows * TABLE.height + 4], {
        size: 9,
        faint: true,
      }),
    ],
  }
}
