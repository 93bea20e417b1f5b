// Two heatmaps of the same image by two versions: at which values they are drawn, so that a colour means the same. Pure.

/** What one needs to know of a map to draw it beside another model's. `temperature` is 1 without calibration. */
export interface MapScale {
  readonly method: string
  readonly width: number
  readonly height: number
  readonly scale: number
  readonly temperature: number
}

/**
 * The values at which two maps are to be drawn in full colour, each in its own units, so that the same colour means
 * the same evidence in both. Neither is drawn stronger than on its own.
 */
export function sharedScales(a: MapScale, b: MapScale): { readonly a: number; readonly b: number } {
  const [unitA, unitB] = [comparableUnit(a), comparableUnit(b)]
  const shared = Math.max(a.scale * unitA, b.scale * unitB)
  return { a: shared / unitA, b: shared / unitB }
}

/**
 * A map's values belong to its model: logit units, a part of the logit for each cell. Times the number of cells
 * (occlusion: as they are) and divided by the calibration's temperature, they mean the same for every model.
 */
function comparableUnit({ method, width, height, temperature }: Omit<MapScale, 'scale'>): number {
  return (method === 'occlusion' ? 1 : width * height) / temperature
}
