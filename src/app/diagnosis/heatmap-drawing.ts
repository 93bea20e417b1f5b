// The heatmap of a stored result, drawn as its version laid the image into the model's input.
import { readFile } from 'node:fs/promises'
import { AppError } from '../../errors.ts'
import type { Preprocessing } from '../../imaging/preprocessing.ts'
import { findVersionRef } from '../../package/ids.ts'
import { readServingConfig } from '../../package/serving-config.ts'
import { packageDir } from '../../registry/home/store.ts'
import { keptImagePath, type StoredPrediction } from '../../registry/predictions/predictions.ts'
import type { Uses } from '../services.ts'

/** PNG of the image's size. @throws AppError `not-found` without a heatmap, `gone` without the image */
export async function drawHeatmap(
  services: Uses<'imaging' | 'store'>,
  o: { stored: StoredPrediction; isComposite: boolean; scale: number | undefined },
): Promise<Uint8Array> {
  const { stored, isComposite } = o
  const { prediction, heatmap } = stored
  if (!heatmap) {
    throw new AppError('not-found', 'This result has no heatmap: none was requested.')
  }
  const path = isComposite ? keptImagePath(services, stored) : undefined
  if (isComposite && !path) throw new AppError('gone', 'The image is no longer stored.')
  const composite = path ? await readFile(path) : undefined
  const rule = await preprocessingOf(services, prediction.version)
  const { width, height } = prediction.image
  return services.imaging.heatmap({
    ...heatmap,
    scale: o.scale ?? heatmap.scale,
    width,
    height,
    ...(rule && { rule }),
    ...(composite && { composite }),
  })
}

/** How the image was laid into the model's input; undefined once the package is gone, when stretching is assumed. */
export async function preprocessingOf(
  services: Uses<'store'>,
  versionId: string,
): Promise<Preprocessing | undefined> {
  const ref = findVersionRef(versionId)
  if (!ref) return undefined
  return readServingConfig(packageDir(services.store, ref)).then(
    (config) => config.preprocessing,
    () => undefined,
  )
}
