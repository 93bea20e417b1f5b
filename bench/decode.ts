// Upload to model input: a 3000 x 2500 16-bit DICOM and a 12-megapixel JPEG, decoded and preprocessed to 224 x 224, beside
// Pillow and pydicom doing the same where a Python has them. Run: node bench/decode.ts [rounds]; PYTHON names the Python.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import sharp from 'sharp'
import { decodeImage } from '../src/imaging/decode.ts'
import { preprocess } from '../src/imaging/preprocess.ts'
import type { Preprocessing } from '../src/imaging/preprocessing.ts'
import { codestream, losslessJpeg } from '../test/support/dicom/coded-frames.ts'
import { deep, dicomFile, image, SYNTAX } from '../test/support/dicom/dicom-file.ts'
import { alternating, type Contender, table } from './alternating.ts'

const ROUNDS = Number(process.argv[2] ?? 9)
const LIMITS = { maxBytes: 2 ** 28, maxPixels: 10 ** 8 }
const SIZE = { width: 2500, height: 3000 }
const INPUT: Preprocessing = {
  schema: 1,
  width: 224,
  height: 224,
  channels: 3,
  interpolation: 'bilinear',
  aspect: 'stretch',
  antialias: true,
  scale: 1 / 127.5,
  mean: [1],
  std: [1],
  order: 'rgb',
}

/** Reads a path a line, answers when the array is there; the process is started once, as a server would be. */
const PYTHON_PROGRAM = `
import sys, numpy as np
from PIL import Image
try:
    import pydicom
    from pydicom.pixels import apply_voi_lut
except ImportError:
    pydicom = None
print('dicom' if pydicom else 'pillow', flush=True)
for line in sys.stdin:
    path = line.strip()
    try:
        if path.endswith('.dcm'):
            data = pydicom.dcmread(path)
            values = apply_voi_lut(data.pixel_array, data).astype(np.float32)
            low, high = values.min(), values.max()
            picture = Image.fromarray((values - low) / (high - low) * 255)
        else:
            picture = Image.open(path)
        small = np.asarray(picture.resize((224, 224), Image.BILINEAR), dtype=np.float32)
        if small.ndim == 2:
            small = np.repeat(small[:, :, None], 3, axis=2)
        tensor = small / 127.5 - 1
        print('ok', flush=True)
    except Exception as error:
        print('no', type(error).__name__, flush=True)
`

const folder = await mkdtemp(join(tmpdir(), 'roentgen-bench-'))
const python = await startPython()
try {
  for (const [name, bytes] of await inputs()) {
    const path = join(folder, name)
    await writeFile(path, bytes)
    const contenders: Contender[] = [{ name: 'Roentgen', run: () => read(bytes) }]
    const other = await python?.contender(path)
    if (typeof other === 'string') console.log(`${name}: Python cannot read it (${other})`)
    else if (other) contenders.push(other)
    console.log(
      table(
        `\n${name}, ${(bytes.length / 1e6).toFixed(1)} MB`,
        await alternating(contenders, ROUNDS),
      ),
    )
  }
} finally {
  python?.stop()
  await rm(folder, { recursive: true })
}

async function read(bytes: Uint8Array): Promise<Float32Array> {
  return preprocess((await decodeImage(bytes, LIMITS)).pixels, INPUT)
}

/** A smooth picture with grain, as a radiograph is, so that codecs have what they are made for. */
async function inputs(): Promise<[string, Buffer][]> {
  const { width, height } = SIZE
  let state = 1
  const values = Uint16Array.from({ length: width * height }, (_, i) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    const wave = Math.sin((i % width) / 300) * Math.cos(i / width / 250)
    return 32768 + 20000 * wave + ((state >> 16) % 255)
  })
  const window = { '00281050': ['DS', '32768'], '00281051': ['DS', '60000'] } as const
  const attributes = image(SIZE, { ...deep(16), ...window })
  const plane = { ...SIZE, values }
  const coded = async (kind: Parameters<typeof codestream>[0]) => {
    return [await codestream(kind, { ...plane, bits: 16 })]
  }
  const lossless = [losslessJpeg(plane, { precision: 16, predictor: 1 })]
  const colour = Uint8Array.from({ length: 4000 * 3000 * 3 }, (_, i) => {
    return 128 + 90 * Math.sin(i / 9000) + (Math.imul(i, 2654435761) >>> 29)
  })
  const raw = { width: 4000, height: 3000, channels: 3 } as const
  const jpeg = await sharp(colour, { raw }).jpeg({ quality: 90 }).toBuffer()
  return [
    ['uncompressed.dcm', dicomFile({ attributes, pixels: values })],
    [
      'jpeg-lossless.dcm',
      dicomFile({ syntax: SYNTAX.jpegLossless, attributes, fragments: lossless }),
    ],
    [
      'jpeg-ls.dcm',
      dicomFile({ syntax: SYNTAX.jpegLs, attributes, fragments: await coded('jpeg-ls') }),
    ],
    [
      'jpeg-2000.dcm',
      dicomFile({ syntax: SYNTAX.jpeg2000, attributes, fragments: await coded('jpeg-2000') }),
    ],
    ['htj2k.dcm', dicomFile({ syntax: SYNTAX.htj2k, attributes, fragments: await coded('htj2k') })],
    ['twelve-megapixel.jpg', jpeg],
  ]
}

/** Undefined, with a word, where there is no Python with Pillow and NumPy. */
async function startPython() {
  const child = spawn(process.env.PYTHON ?? 'python3', ['-c', PYTHON_PROGRAM], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failed = once(child, 'error').then(() => ({ value: undefined }))
  const first = await Promise.race([answers.next(), failed])
  if (first.value === undefined) {
    console.log('No Python with Pillow and NumPy here: Roentgen alone is timed. Set PYTHON to one.')
    return undefined
  }
  return {
    contender: (path: string) => contender(path, { child, answers }),
    stop: () => child.kill(),
  }
}

async function contender(
  path: string,
  o: { readonly child: ChildProcess; readonly answers: AsyncIterator<string> },
): Promise<Contender | string> {
  const run = async () => {
    o.child.stdin?.write(`${path}\n`)
    const { value } = await o.answers.next()
    return String(value)
  }
  const answer = await run()
  const name = path.endsWith('.dcm') ? 'pydicom, NumPy and Pillow' : 'Pillow and NumPy'
  return answer === 'ok' ? { name, run } : answer.slice(3)
}
