// How to load a package and predict with it, as code to copy: curl, TypeScript, Python with ONNX Runtime, Python with
// Keras. Made for this very package, so that nothing is left to guess; test/training/model-card.test.ts runs each.
import type { Preprocessing } from '../../../imaging/preprocessing.ts'
import type { Calibration, ModelConfig } from '../../../package/schema.ts'

export interface SnippetInput {
  readonly condition: string
  readonly model: ModelConfig
  readonly preprocessing: Preprocessing
  readonly calibration: Calibration | null
  /** Relative to the package; undefined when it has none. */
  readonly kerasFile: string | undefined
  /** Its last layer is linear: Keras and TensorFlow.js give logits too. */
  readonly givesLogits: boolean
  /** Why it has none. */
  readonly noKeras: string
}

export function snippets(o: SnippetInput): string {
  return `## Usage

Each of these prints the calibrated probability of each class. Run them in this folder; they read a golden image unless another is named.

**The server**, which also gives decision, heatmap and warnings (the condition's active version answers; \`-F version=…\` asks another):

\`\`\`sh
curl -F image=@results/golden/1.png -F condition=${o.condition} http://127.0.0.1:7860/api/v1/predict
\`\`\`

**TypeScript**, saved as \`predict.ts\` in the folder of Roentgen: \`node predict.ts <this folder> [image]\`. Also reads DICOM and 16 bits:

\`\`\`ts
${typescript()}
\`\`\`

**Python with ONNX Runtime** (\`pip install onnxruntime pillow\`), for 8-bit images:

\`\`\`python
${pythonOnnx(o)}
\`\`\`

${
  o.kerasFile === undefined
    ? `**Python with Keras**: this package has no Keras file. ${o.noKeras}`
    : `**Python with Keras** (\`pip install keras tensorflow pillow\`), for 8-bit images; also \`.h5\` and \`.weights.h5\`:

\`\`\`python
${pythonKeras(o, o.kerasFile)}
\`\`\``
}

\`models/tfjs/model.json\` is the same network for TensorFlow.js (\`tf.loadLayersModel\`)${o.givesLogits ? '; its outputs are logits' : ''}.
`
}

function typescript(): string {
  return `import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSession } from './src/engine/session.ts'
import { decodeImage } from './src/imaging/decode.ts'
import { preprocess } from './src/imaging/preprocess.ts'
import { scores } from './src/inference/scores.ts'
import { readServingConfig } from './src/package/serving-config.ts'

const [dir = '.', image = join(dir, 'results/golden/1.png')] = process.argv.slice(2)
const { model, preprocessing: p } = await readServingConfig(dir)
const { calibration } = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8'))
const { pixels } = await decodeImage(await readFile(image), { maxBytes: 1e9, maxPixels: 1e8 })
const session = await createSession(await readFile(join(dir, model.graph.file)), { threads: 2 })
const outputs = await session.run({
  [model.graph.input.name]: { data: preprocess(pixels, p), dims: [1, p.height, p.width, p.channels] },
})
const logits = outputs[model.graph.outputs.logits ?? '']?.data ?? null
const { kind, classes } = model
const found = scores({ kind, classes, raw: { logits, probabilities: null }, calibration })
console.log(JSON.stringify(Object.fromEntries(found.map((one) => [one.label, one.probability]))))`
}

function pythonOnnx(o: SnippetInput): string {
  const { file, input, outputs } = o.model.graph
  return `import json, sys
import numpy as np, onnxruntime
from PIL import Image, ImageOps

${pythonImage(o)}
session = onnxruntime.InferenceSession("${file}")
z = session.run(["${outputs.logits}"], {"${input.name}": x})[0][0]  # before the last activation
${pythonScores(o)}`
}

function pythonKeras(o: SnippetInput, file: string): string {
  const model = `keras.models.load_model("${file}").predict(x, verbose=0)[0].astype(np.float64)`
  const undone =
    o.model.kind === 'single-label'
      ? 'z = np.log(np.clip(p, 1e-30, 1))'
      : 'z = np.log(np.clip(p, 1e-30, 1)) - np.log(np.clip(1 - p, 1e-30, 1))'
  const logits = o.givesLogits
    ? `z = ${model}  # the last layer is linear: logits`
    : `p = ${model}\n${undone}  # back from the model's own last activation`
  return `import json, sys
import keras, numpy as np
from PIL import Image, ImageOps

${pythonImage(o)}
${logits}
${pythonScores(o)}`
}

const FILTERS = {
  nearest: 'NEAREST',
  bilinear: 'BILINEAR',
  bicubic: 'BICUBIC',
  area: 'BOX',
} as const

/** As imaging/preprocess.ts does it, to the rounding of 8-bit pixels after resizing. */
function pythonImage({ preprocessing: p, model }: SnippetInput): string {
  const size = `(${p.width}, ${p.height}), Image.Resampling.${FILTERS[p.interpolation]}`
  const resized = {
    stretch: `image.resize(${size})`,
    crop: `ImageOps.fit(image, ${size})`,
    pad: `ImageOps.pad(image, ${size})`,
  }[p.aspect]
  const isNchw = model.graph.input.layout === 'nchw'
  return [
    'image = Image.open(sys.argv[1] if len(sys.argv) > 1 else "results/golden/1.png")',
    `image = image.convert("${p.channels === 1 ? 'L' : 'RGB'}")`,
    `image = ${resized}`,
    `x = np.asarray(image, np.float32).reshape(1, ${p.height}, ${p.width}, ${p.channels})${p.order === 'bgr' ? '[..., ::-1]' : ''}`,
    `x = ((x * ${p.scale} - ${JSON.stringify(p.mean)}) / ${JSON.stringify(p.std)}).astype(np.float32)`,
    ...(isNchw ? ['x = x.transpose(0, 3, 1, 2)'] : []),
  ].join('\n')
}

function pythonScores({ model, calibration }: SnippetInput): string {
  const temperature = calibration?.temperature ?? 1
  const labels = JSON.stringify(model.classes.map(({ label }) => label))
  const scaled = `z = np.asarray(z, np.float64) / ${temperature}  # the temperature of the calibration`
  if (model.kind === 'single-label') {
    return [
      scaled,
      'p = np.exp(z - z.max())',
      'p = p / p.sum()',
      `print(json.dumps(dict(zip(${labels}, p.tolist()))))`,
    ].join('\n')
  }
  if (model.kind === 'multi-label') {
    return [
      scaled,
      'p = 1 / (1 + np.exp(-z))',
      `print(json.dumps(dict(zip(${labels}, p.tolist()))))`,
    ].join('\n')
  }
  const order = model.classes.map(({ positive }) => (positive ? 'p' : '1 - p')).join(', ')
  return [
    scaled,
    'p = float(1 / (1 + np.exp(-z[0])))',
    `print(json.dumps(dict(zip(${labels}, [${order}]))))`,
  ].join('\n')
}
