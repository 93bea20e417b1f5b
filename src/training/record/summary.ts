// README.md, the model card: what a person reads first in a package.
import type { ModelConfig } from '../../package/schema.ts'
import type { PreparedIndex } from '../dataset/prepared.ts'
import type { Evaluation } from '../evaluation/evaluate.ts'
import type { Rate } from '../evaluation/rates.ts'
import type { TrainingJob } from '../job.ts'
import type { Trained } from '../loop/train.ts'
import type { Hyperparameters } from '../settings.ts'

export interface Story {
  readonly job: TrainingJob
  readonly name: string
  readonly index: PreparedIndex
  readonly hyperparameters: Hyperparameters
  readonly trained: Trained
  readonly evaluation: Evaluation
  readonly model: ModelConfig
  readonly startedAt: Date
  readonly endedAt: Date
}

export function modelCard(story: Story): string {
  const { job, name, index, hyperparameters: h, evaluation, model } = story
  const { preprocessing } = index
  const { width, height, channels } = preprocessing
  const shape = `1 x ${height} x ${width} x ${channels}`
  const demonstration = job.demonstration
    ? `**${job.demonstration.notice}.** Trained on drawn images; it knows nothing about people.\n\n`
    : ''
  return `# ${job.condition.name}: ${name}

${demonstration}For research use only; not a medical device. A heatmap shows where evidence came from; it is not a segmentation.

- Condition: ${job.condition.id} (${job.condition.bodyPart}), ${index.kind}
- Classes, in order: ${index.classes.map((one) => (one.positive ? `**${one.label}**` : one.label)).join(', ')} (bold: a finding)
- Architecture: ${model.architecture}, ${model.parameters?.total ?? '?'} parameters, input ${shape}
- Trained from scratch: ${story.trained.history.length} epochs (best ${story.trained.bestEpoch}), batch ${h.batchSize}, learning rate ${h.learningRate}, seed ${h.seed}
- Dataset: ${index.name}, ${index.images.length} images, fingerprint \`${index.fingerprint.slice(0, 16)}\`
- Not for: other body parts, projections or populations than those of the dataset; deciding without a person.

## How good it is

On ${evaluation.metrics.n} test images that training, early stopping and calibration did not see, with 95 % intervals
(Wilson; AUC: DeLong), at its default operating point \`${evaluation.defaultOperatingPoint}\`:

| figure | value |
| --- | --- |
| accuracy | ${withInterval(evaluation.accuracy)} |
| balanced accuracy | ${percent(evaluation.metrics.balancedAccuracy)} |
| AUC | ${aucText(evaluation)} |
| sensitivity (a finding is named when there is one) | ${withInterval(evaluation.finding.sensitivity)} |
| specificity | ${withInterval(evaluation.finding.specificity)} |
| PPV / NPV at the test set's share of findings | ${percent(evaluation.finding.ppv.value)} / ${percent(evaluation.finding.npv.value)} |

| class | n | precision | recall | AUC |
| --- | --- | --- | --- | --- |
${evaluation.classes.map((one) => `| ${one.label} | ${one.support} | ${percent(one.precision.value)} | ${withInterval(one.recall)} | ${number(one.area?.auc)} |`).join('\n')}

## Operating points

Chosen on the calibration split, measured on the test split.

| name | thresholds | sensitivity | specificity |
| --- | --- | --- | --- |
${evaluation.points.map((one) => `| ${one.name} | ${thresholdText(one.thresholds)} | ${withInterval(one.test.sensitivity)} | ${withInterval(one.test.specificity)} |`).join('\n')}

## Calibration

${calibrationText(evaluation)}.

## Explanation

Grad-CAM at \`${model.explanation?.layer ?? 'none'}\`: ${model.explanation?.reason ?? 'the graph gives no feature map'}

## How to run it

\`${model.graph.file}\` runs in any ONNX runtime: input \`${model.graph.input.name}\` (${shape}, float32), output
\`${model.graph.outputs.logits}\`; \`models/tfjs/model.json\` in TensorFlow.js. Preprocessing: \`configs/preprocessing.json\`.

\`\`\`sh
curl -F image=@xray.png -F condition=${job.condition.id} http://127.0.0.1:7860/api/v1/predict
\`\`\`

\`\`\`python
import json, numpy as np, onnxruntime as ort
from PIL import Image
p = json.load(open("configs/preprocessing.json"))
image = Image.open("results/golden/1.png").convert("${channels === 1 ? 'L' : 'RGB'}").resize((p["width"], p["height"]), Image.BILINEAR)
x = (np.asarray(image, np.float32).reshape(1, p["height"], p["width"], p["channels"]) * p["scale"] - p["mean"]) / p["std"]
session = ort.InferenceSession("${model.graph.file}")
logits = session.run(["${model.graph.outputs.logits}"], {"${model.graph.input.name}": x.astype(np.float32)})[0]
print(${index.kind === 'single-label' ? 'np.exp(logits) / np.exp(logits).sum()' : '1 / (1 + np.exp(-logits))'})
\`\`\`
`
}

function aucText({ metrics, classes }: Evaluation): string {
  const area = classes.find((one) => one.positive)?.area
  if (classes.length > 2 || !area) return number(metrics.auc)
  return `${number(area.auc)} (${number(area.interval[0])} to ${number(area.interval[1])})`
}

function calibrationText({ calibration, quality }: Evaluation): string {
  const { raw, calibrated } = quality
  if (!calibration) {
    return `none: too few images to fit one; ECE ${number(raw.ece)} on the test split`
  }
  if (calibration.temperature === 1) {
    return `temperature 1: another did not help on unseen images of the ${calibration.n} for calibration; ECE on the test split ${number(raw.ece)}`
  }
  return (
    `temperature ${number(calibration.temperature)}, fitted on ${calibration.n} images; ` +
    `ECE on the test split ${number(raw.ece)} before, ${number(calibrated.ece)} after`
  )
}

function thresholdText(thresholds: Readonly<Record<string, number>>): string {
  const entries = Object.entries(thresholds)
  if (entries.length === 0) return 'the most probable class'
  return entries.map(([label, value]) => `${label} >= ${number(value)}`).join(', ')
}

function withInterval({ value, interval }: Rate): string {
  if (value === null || !interval) return 'undefined'
  return `${percent(value)} (${percent(interval[0])} to ${percent(interval[1])})`
}

function percent(value: number | null): string {
  return value === null ? 'undefined' : `${(100 * value).toFixed(1)} %`
}

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? 'undefined' : value.toFixed(3)
}
