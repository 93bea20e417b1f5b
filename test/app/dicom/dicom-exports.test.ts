// Results as DICOM objects: read back with dcmjs always, with dcmtk and pydicom where they are; in the source's study only when
// the source is brought along.
import assert from 'node:assert/strict'
import test from 'node:test'
import dcmjs from 'dcmjs'
import type { Prediction } from '../../../src/registry/predictions/predictions.ts'
import { type Attribute, dicomFile, image } from '../../support/dicom/dicom-file.ts'
import { dicomReaders } from '../../support/dicom/dicom-readers.ts'
import {
  homeFolders,
  imageForm,
  jsonBody,
  jsonOf,
  openedHome,
  storePackage,
} from '../../support/home.ts'

const SOURCE: readonly Attribute[] = [
  ['00080005', 'CS', 'ISO_IR 100'],
  ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.1'],
  ['00080018', 'UI', '1.2.3.4.5'],
  ['00080020', 'DA', '20260102'],
  ['00080050', 'SH', 'ACC-7'],
  ['00100010', 'PN', Buffer.from('M\u00fcller^J\u00f6rg', 'latin1')],
  ['00100020', 'LO', 'ID-42'],
  ['00100040', 'CS', 'M'],
  ['00180015', 'CS', 'CHEST'],
  ['0020000d', 'UI', '1.2.3.4'],
  ['0020000e', 'UI', '1.2.3.4.1'],
]

interface Parsed {
  readonly [keyword: string]: unknown
  readonly PatientName: string
  readonly StudyInstanceUID: string
  readonly SOPInstanceUID: string
  readonly Rows: number
  readonly Columns: number
  readonly PixelData: readonly ArrayBuffer[]
  readonly ContentSequence: readonly Item[]
}

interface Item {
  readonly ValueType: string
  readonly ConceptNameCodeSequence?:
    | { readonly CodeValue: string }
    | readonly [{ CodeValue: string }]
  readonly ContentSequence?: readonly Item[] | Item
  readonly TextValue?: string
  readonly MeasuredValueSequence?: readonly [{ readonly NumericValue: number }]
}

const reader = dcmjs.data as unknown as {
  DicomMessage: { readFile(bytes: ArrayBuffer): { dict: object } }
  DicomMetaDictionary: { naturalizeDataset(dict: object): Parsed }
}

function parsed(bytes: Uint8Array): Parsed {
  const { dict } = reader.DicomMessage.readFile(Uint8Array.from(bytes).buffer)
  return reader.DicomMetaDictionary.naturalizeDataset(dict)
}

const codeOf = ({ ConceptNameCodeSequence: name }: Item) =>
  [name].flat()[0]?.CodeValue as string | undefined
const childrenOf = (item: { ContentSequence?: unknown }): Item[] =>
  [item.ContentSequence ?? []].flat() as Item[]

function found(items: readonly Item[], code: string): Item[] {
  return items.flatMap((item) => [
    ...(codeOf(item) === code ? [item] : []),
    ...found(childrenOf(item), code),
  ])
}

test('a result becomes a capture and a report that other readers understand', async (t) => {
  const folders = await homeFolders(t)
  const { id, sha256 } = await storePackage(folders, { seed: 1, accuracy: 0.9 })
  const { call } = await openedHome(folders)
  await call('/api/v1/conditions/pneumonia/activate', jsonBody({ version: id, reason: 'first' }))
  const pixels = Uint8Array.from({ length: 25 * 21 }, (_, i) => (i * 31) % 256)
  const file = dicomFile({ attributes: [...image({ width: 25, height: 21 }), ...SOURCE], pixels })
  const predict = (bytes: Uint8Array, fields = {}) => {
    const body = imageForm({ condition: 'pneumonia', image: bytes, ...fields })
    return call('/api/v1/predict', { method: 'POST', body }).then((answer) =>
      jsonOf<Prediction>(answer),
    )
  }
  const prediction = await predict(file)
  const at = (name: string) => `/api/v1/predictions/${prediction.id}/${name}`
  const get = async (path: string, init?: RequestInit) => {
    const response = await call(path, init)
    assert.equal(response.status, 200, await response.clone().text())
    assert.equal(response.headers.get('content-type'), 'application/dicom')
    return new Uint8Array(await response.arrayBuffer())
  }
  const withSource = (bytes: Uint8Array): RequestInit => {
    const body = new FormData()
    body.set('source', new Blob([Uint8Array.from(bytes)]), 'source.dcm')
    return { method: 'POST', body }
  }
  const others = await dicomReaders(t)

  await t.test('the capture is anonymous, of the image’s size, and shows the map', async () => {
    const bytes = await get(at('secondary-capture.dcm'))
    assert.deepEqual(await get(at('secondary-capture.dcm')), bytes)
    const data = parsed(bytes)
    assert.equal(String(data.PatientName), 'Anonymous')
    assert.deepEqual([data.Rows, data.Columns], [21, 25])
    const shown = Buffer.from(data.PixelData[0] ?? new ArrayBuffer())
    const [size, padding] = [3 * 25 * 21, 1]
    assert.equal(shown.length, size + padding)
    const grey = [...pixels.keys()].filter((i) => shown[3 * i] === shown[3 * i + 1])
    assert.ok(grey.length < pixels.length, 'the map gives colour')
    assert.ok(!Buffer.from(bytes).toString('latin1').includes('1.2.3.4'))
    const dump = others.dcmdump(bytes)
    if (dump) assert.match(dump, /=SecondaryCaptureImageStorage/)
    const seen = others.pydicom(bytes)
    if (seen) assert.match(seen, /^Anonymous\|2\.25\.\d+\|Secondary Capture.*\n\(21, 25, 3\)/)
  })

  await t.test(
    'the report says finding, probability, package, calibration and its limits',
    async () => {
      const bytes = await get(at('structured-report.dcm'))
      const items = childrenOf(parsed(bytes))
      const groups = found(items, '125007')
      assert.equal(groups.length, prediction.classes.length)
      const certainty = found(items, '111012').map(
        (item) => item.MeasuredValueSequence?.[0].NumericValue,
      )
      prediction.classes.forEach(({ probability }, i) => {
        assert.ok(Math.abs(Number(certainty[i]) - 100 * probability) < 1e-3)
      })
      const words = JSON.stringify(items)
      assert.ok(words.includes(sha256) && words.includes(prediction.version))
      assert.match(words, /Research use only/)
      assert.equal(found(items, 'CALIBRATION').length, groups.length)
      const dump = others.dsrdump(bytes)
      if (dump) {
        assert.match(dump, /Imaging Measurement Report/)
        assert.doesNotMatch(dump, /^[EFW]: /m)
      }
      const seen = others.pydicom(bytes)
      if (seen) assert.match(seen, /^Anonymous\|.*Comprehensive 3D SR/)
    },
  )

  await t.test('with its source both belong to the patient and study of the source', async () => {
    for (const name of ['secondary-capture.dcm', 'structured-report.dcm']) {
      const bytes = await get(at(name), withSource(file))
      const data = parsed(bytes)
      assert.equal(String(data.PatientName), 'Müller^Jörg')
      assert.equal(data.StudyInstanceUID, '1.2.3.4')
      assert.deepEqual([data.PatientID, data.AccessionNumber], ['ID-42', 'ACC-7'])
      assert.ok(Buffer.from(bytes).toString('latin1').includes('1.2.3.4.5'), 'names its source')
      const seen = others.pydicom(bytes)
      if (seen) assert.match(seen, /^Müller\^Jörg\|1\.2\.3\.4\|/)
      const dump = name.startsWith('structured') ? others.dsrdump(bytes) : undefined
      if (dump) assert.doesNotMatch(dump, /^[EFW]: |^failed/m)
    }
  })

  await t.test(
    'another file, none, a picture without study and a result without map are refused',
    async () => {
      const refusal = async (path: string, init?: RequestInit) => {
        const response = await call(path, init)
        return [response.status, (await jsonOf<{ code: string }>(response)).code]
      }
      const sr = at('structured-report.dcm')
      const changed = Buffer.from(file)
      changed[changed.length - 1] = 1
      assert.deepEqual(await refusal(sr, withSource(changed)), [422, 'invalid'])
      assert.deepEqual(await refusal(sr, { method: 'POST', body: new FormData() }), [
        422,
        'image-required',
      ])
      const plain = dicomFile({ attributes: image({ width: 25, height: 21 }), pixels })
      const { id: unnamed } = await predict(plain)
      const path = `/api/v1/predictions/${unnamed}/structured-report.dcm`
      assert.deepEqual(await refusal(path, withSource(plain)), [422, 'invalid'])
      const { id: mapless } = await predict(file, { explain: 'none' })
      const capture = `/api/v1/predictions/${mapless}/secondary-capture.dcm`
      assert.deepEqual(await refusal(capture), [404, 'not-found'])
      assert.deepEqual(await refusal('/api/v1/predictions/pr_none/structured-report.dcm'), [
        404,
        'unknown-prediction',
      ])
    },
  )
})
