// The image with its heatmap burnt in as a DICOM Secondary Capture (PS3.3 A.8.1), for a viewer that draws no overlays.
import { encodePart10 } from './part10.ts'
import { commonAttributes, type ExportSubject, sourceReference, uidsOf } from './subject.ts'
import { SOP_CLASS } from './uids.ts'

export const EXPORT_NOTICE = 'Research use only. Not a medical device.'

/** `pixels` are [height, width, 3] of the result's image. */
export async function encodeSecondaryCapture(
  subject: ExportSubject,
  pixels: Uint8Array,
): Promise<Uint8Array> {
  const { prediction, conditionName } = subject
  const { width, height, passport } = prediction.image
  const uids = uidsOf(subject)
  const source = sourceReference(subject)
  const burnedIn = passport?.tags.find(({ name }) => name === 'Burned-in annotation')?.value
  const { heatmap } = prediction
  const of = heatmap ? `${heatmap.method} of ${heatmap.target}` : 'no map'
  return encodePart10({
    sopClassUid: SOP_CLASS.secondaryCapture,
    sopInstanceUid: uids.capture,
    attributes: {
      ...commonAttributes(subject),
      Modality: 'OT',
      ConversionType: 'WSD',
      SeriesInstanceUID: uids.captureSeries,
      SeriesNumber: '9001',
      SeriesDescription: `${conditionName}: heatmap (research only)`.slice(0, 64),
      InstanceNumber: '1',
      ImageType: ['DERIVED', 'SECONDARY'],
      DerivationDescription:
        `Heatmap (${of}) by ${prediction.version}, package SHA-256 ${prediction.sha256}. ${EXPORT_NOTICE}`.slice(
          0,
          1024,
        ),
      ImageComments: EXPORT_NOTICE,
      ...(source && { SourceImageSequence: [source] }),
      ...identityView(subject),
      ...(burnedIn && { BurnedInAnnotation: burnedIn }),
      SamplesPerPixel: 3,
      PhotometricInterpretation: 'RGB',
      PlanarConfiguration: 0,
      Rows: height,
      Columns: width,
      BitsAllocated: 8,
      BitsStored: 8,
      HighBit: 7,
      PixelRepresentation: 0,
    },
    pixels,
  })
}

function identityView({ identity }: ExportSubject) {
  return identity?.image.bodyPart ? { BodyPartExamined: identity.image.bodyPart } : {}
}
