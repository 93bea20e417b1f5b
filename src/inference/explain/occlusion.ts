// Occlusion sensitivity (Zeiler and Fergus 2014): how far a class's score falls when a patch of the image is hidden.
// Needs nothing of the graph but its scores, so it works with any model file.
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import type { Patch, RawScores } from '../host/raw-output.ts'
import type { LoadedVersion } from '../lease.ts'
import type { EvidenceMap } from './evidence.ts'

const PIXELS_PER_CELL = 16
const MIN_SIDE = 8
const MAX_SIDE = 14
/** Larger networks get the coarsest grid: 64 runs instead of up to 196. The choice never depends on timing. */
const LARGE_PARAMETERS = 5_000_000

export interface OcclusionInput {
  readonly version: LoadedVersion
  readonly tensor: Float32Array
  /** The class's score in logit units, of any row. */
  readonly scoresOf: (raw: RawScores) => readonly number[]
  readonly base: RawScores
  readonly signal?: AbortSignal | undefined
}

/** One map for each class, in logit units: the drop of its score when the patch around a cell is hidden. */
export async function occlusion(o: OcclusionInput): Promise<EvidenceMap[]> {
  const { preprocessing, model } = o.version
  const large = (model.parameters?.total ?? 0) > LARGE_PARAMETERS
  const width = cells(preprocessing.width, large)
  const height = cells(preprocessing.height, large)
  const base = o.scoresOf(o.base)
  const grids = base.map(() => new Float32Array(width * height))
  const fill = channelMeans(o.tensor, preprocessing.channels)
  const work = { patches: width * height, spentMs: 0 }
  // A row of cells is one turn in the queue, so that other requests get theirs in between.
  for (let row = 0; row < height; row++) {
    const patches = Array.from({ length: width }, (_, column) =>
      patchAround(preprocessing, { row, column, width, height }),
    )
    const masked = await o.version.inferMasked(o.tensor, { patches, fill, work, signal: o.signal })
    masked.forEach((raw, column) => {
      o.scoresOf(raw).forEach((score, index) => {
        const grid = grids[index]
        if (grid) grid[row * width + column] = Math.max(0, (base[index] ?? 0) - score)
      })
    })
  }
  return grids.map((grid) => ({ grid, width, height }))
}

/** Cells along one side: one for 16 pixels, 8 to 14 of them, never more than there are pixels. */
export function cells(pixels: number, large: boolean): number {
  const wanted = large ? MIN_SIDE : Math.round(pixels / PIXELS_PER_CELL)
  return Math.min(pixels, Math.max(MIN_SIDE, Math.min(MAX_SIDE, wanted)))
}

interface Cell {
  readonly row: number
  readonly column: number
  readonly width: number
  readonly height: number
}

/** Twice as wide and high as a cell and centred on it, so that neighbours overlap by half. */
export function patchAround(input: Pick<Preprocessing, 'width' | 'height'>, cell: Cell): Patch {
  const span = (index: number, count: number, pixels: number): [number, number] => {
    const size = pixels / count
    const middle = (index + 0.5) * size
    return [Math.max(0, Math.round(middle - size)), Math.min(pixels, Math.round(middle + size))]
  }
  const [x0, x1] = span(cell.column, cell.width, input.width)
  const [y0, y1] = span(cell.row, cell.height, input.height)
  return { x0, y0, x1, y1 }
}

/** The image's own mean grey: hiding with black or white would itself be a finding on a radiograph. */
function channelMeans(tensor: Float32Array, channels: number): number[] {
  const sums = new Array<number>(channels).fill(0)
  tensor.forEach((value, index) => {
    sums[index % channels] = (sums[index % channels] ?? 0) + value
  })
  return sums.map((sum) => (sum * channels) / tensor.length)
}
