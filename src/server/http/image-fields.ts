// The fields of a form that sends an image, for programs and pages: what is to be read, and how.

import { readFile } from 'node:fs/promises'
import type { ExampleGallery } from '../../app/diagnosis/examples.ts'
import type { Uses } from '../../app/services.ts'
import type { Upload, UploadedFile } from '../../app/uploaded-files.ts'
import { AppError } from '../../errors.ts'
import { EXPLAIN_METHODS, type ExplainMethod } from '../../inference/explain/explain.ts'
import { getPrediction, keptImagePath } from '../../registry/predictions/predictions.ts'
import { readUpload } from './uploads.ts'

export interface ImageFields {
  readonly fields: ReadonlyMap<string, string>
  readonly condition: string
  readonly image: Uint8Array
  /** Frame of a file that holds several, counted from 1. */
  readonly frame: number | undefined
  readonly operatingPoint: string | undefined
  readonly explain: ExplainMethod | undefined
  readonly layer: string | undefined
  readonly target: string | undefined
}

/**
 * One image and its condition. Pages may name an `example` or an earlier `prediction` in place of a file.
 * @throws AppError `condition-required`, `image-required`, `upload-too-large`, `invalid`
 */
export async function readImageFields(
  services: Uses<'config' | 'db' | 'store'> & { readonly examples: ExampleGallery },
  { request, isPage }: { request: Request; isPage: boolean },
): Promise<ImageFields> {
  const upload = await readUpload(request, {
    maxFileBytes: services.config.maxUploadBytes,
    maxFiles: 8,
  })
  const { fields } = upload
  const chosen = isPage ? await chosenImage(services, upload) : undefined
  const condition = fieldOf(fields, 'condition') ?? chosen?.condition
  if (!condition) throw conditionRequired()
  return {
    fields,
    condition,
    image: chosen?.image ?? onlyImage(upload),
    frame: frameOf(fields),
    operatingPoint: fieldOf(fields, 'operatingPoint'),
    explain: explainOf(fields),
    layer: fieldOf(fields, 'layer'),
    target: fieldOf(fields, 'target'),
  }
}

export function conditionRequired(): AppError {
  return new AppError(
    'condition-required',
    'Specify the condition in the field "condition"; /api/v1/conditions lists them.',
  )
}

/** A field's text, or undefined when it is absent or empty. */
export function fieldOf(fields: ReadonlyMap<string, string>, name: string): string | undefined {
  return fields.get(name)?.trim() || undefined
}

/** @throws AppError `invalid` naming the field */
export function requiredField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fieldOf(fields, name)
  if (value !== undefined) return value
  throw new AppError('invalid', `The field "${name}" is missing.`, { extra: { field: name } })
}

export function explainOf(fields: ReadonlyMap<string, string>): ExplainMethod | undefined {
  const text = fieldOf(fields, 'explain')
  if (text === undefined) return undefined
  const method = EXPLAIN_METHODS.find((one) => one === text.toLowerCase())
  if (method) return method
  throw new AppError('invalid', `"explain" must be one of ${EXPLAIN_METHODS.join(', ')}.`, {
    extra: { field: 'explain' },
  })
}

/** @throws AppError `invalid`; whether the file has that frame is known once it is read */
export function frameOf(fields: ReadonlyMap<string, string>): number | undefined {
  const text = fieldOf(fields, 'frame')
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new AppError('invalid', '"frame" must be a whole number, counted from 1.', {
    extra: { field: 'frame' },
  })
}

/** The files of the field `image`. */
export function imagesOf(upload: Upload): readonly UploadedFile[] {
  return upload.files.filter((file) => file.field === 'image')
}

function onlyImage(upload: Upload): Uint8Array {
  const [image, ...others] = imagesOf(upload)
  if (!image?.bytes) {
    throw new AppError('image-required', 'Send the image as a file in the field "image".')
  }
  if (others.length > 0) {
    throw new AppError('invalid', 'Send one image at a time; several go to /api/v1/batch.')
  }
  return image.bytes
}

/** A file that was sent wins over the example or prediction that the form also names. */
async function chosenImage(
  services: Uses<'db' | 'store'> & { readonly examples: ExampleGallery },
  upload: Upload,
): Promise<{ image: Uint8Array; condition: string } | undefined> {
  if (imagesOf(upload).length > 0) return undefined
  const exampleId = fieldOf(upload.fields, 'example')
  if (exampleId !== undefined) {
    const example = await services.examples.find(exampleId)
    if (!example) throw new AppError('not-found', 'This example no longer exists.')
    return { image: await readFile(example.path), condition: example.condition }
  }
  const predictionId = fieldOf(upload.fields, 'prediction')
  if (predictionId === undefined) return undefined
  const stored = await getPrediction(services.db, predictionId)
  const path = keptImagePath(services, stored)
  if (!path) throw new AppError('gone', 'The image of that result is no longer stored.')
  return { image: await readFile(path), condition: stored.prediction.condition }
}
