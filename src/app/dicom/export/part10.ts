// A data set as a DICOM file (PS3.10), explicit little endian. dcmjs writes the attributes; pixels are put behind them as they
// are, because it would copy them several times.
import { PRODUCT_VERSION } from '../../product.ts'
import { derivedUid } from './uids.ts'

/** Attributes by keyword, sequences as lists of them. */
export type DataSet = Readonly<Record<string, unknown>>

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1'
const PIXEL_DATA_OB = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0])

export interface Part10 {
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  readonly attributes: DataSet
  /** 8-bit values, last in the file. */
  readonly pixels?: Uint8Array
}

export async function encodePart10(o: Part10): Promise<Uint8Array> {
  const { sopClassUid, sopInstanceUid, pixels } = o
  // Loaded with the first export: reading does without it.
  const { default: dcmjs } = await import('dcmjs')
  const { DicomDict, DicomMetaDictionary } = dcmjs.data
  const file = new DicomDict(
    DicomMetaDictionary.denaturalizeDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: sopClassUid,
      MediaStorageSOPInstanceUID: sopInstanceUid,
      TransferSyntaxUID: EXPLICIT_LITTLE_ENDIAN,
      ImplementationClassUID: derivedUid('roentgen', 'implementation'),
      ImplementationVersionName: `ROENTGEN ${PRODUCT_VERSION}`.slice(0, 16),
    }),
  )
  file.dict = DicomMetaDictionary.denaturalizeDataset({
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: sopClassUid,
    SOPInstanceUID: sopInstanceUid,
    ...o.attributes,
  })
  const attributes = Buffer.from(file.write({ allowInvalidVRLength: true }))
  if (!pixels) return attributes
  const length = Buffer.alloc(4)
  length.writeUInt32LE(pixels.length + (pixels.length % 2))
  return Buffer.concat([attributes, PIXEL_DATA_OB, length, pixels, Buffer.alloc(pixels.length % 2)])
}
