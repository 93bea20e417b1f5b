// The figures of a model card, each with its interval.
import type { Evaluation } from '../../../evaluation/evaluate.ts'

interface Estimate {
  readonly value: number | null
  readonly interval: readonly [number, number] | null
}

/** Metrics, classes, operating points and calibration, as Markdown. */
export function figuresSection(evaluation: Evaluation): string {
  const { metrics, finding, macro, classes, quality, resampled } = evaluation
  const [positive, ...others] = classes.filter((one) => one.positive)
  const isOne = classes.length === 2 && positive !== undefined && others.length === 0
  const isMulti = evaluation.confusion === null
  const auc =
    isOne && positive?.area
      ? { value: positive.area.auc, interval: positive.area.interval }
      : macro.auc
  const precision =
    isOne && positive
      ? { value: positive.averagePrecision, interval: positive.averagePrecisionInterval }
      : macro.averagePrecision
  return `## Performance

On ${metrics.n} test images that training, early stopping and calibration did not see, at its operating point
\`${evaluation.defaultOperatingPoint}\`. In brackets: 95% intervals (shares: Wilson; AUC: DeLong; the others: bootstrap over ${resampled}).
Another hospital's images are another matter: \`roentgen evaluate\` measures that.

| figure | value |
| --- | --- |
| ${isMulti ? 'images with every label right' : 'accuracy'} | ${share(evaluation.accuracy)} |
| balanced accuracy | ${share(evaluation.balancedAccuracy)} |
| AUC${isOne ? '' : ', mean over the classes'} | ${plain(auc)} |
| average precision${isOne ? '' : ', mean over the classes'} | ${plain(precision)} |
| sensitivity (a finding is named when there is one) | ${share(finding.sensitivity)} |
| specificity (none is named when there is none) | ${share(finding.specificity)} |
| PPV / NPV, at the test set's share of findings | ${share(finding.ppv)} / ${share(finding.npv)} |
| F1, mean over the classes | ${plain(macro.f1)} |
| Brier score, calibrated | ${plain({ value: quality.calibrated.brier, interval: quality.calibrated.brierInterval })}; before ${quality.raw.brier.toFixed(3)} |

| class | n | precision (PPV) | recall (sensitivity) | specificity | F1 | AUC | average precision |
| --- | --- | --- | --- | --- | --- | --- | --- |
${classes
  .map(
    (one) =>
      `| ${cell(one.label)} | ${one.support} | ${share(one.precision)} | ${share(one.recall)} | ${share(one.specificity)} | ${plain({ value: one.f1, interval: one.f1Interval })} | ${plain({ value: one.area?.auc ?? null, interval: one.area?.interval ?? null })} | ${plain({ value: one.averagePrecision, interval: one.averagePrecisionInterval })} |`,
  )
  .join('\n')}

![Confusion matrix](results/confusion_matrix.png) ![ROC curve](results/roc.png)
![Precision-recall curve](results/pr.png) ![Training curves](results/training_curves.png)

## Operating points

Where a probability becomes a finding. Chosen on the calibration split, measured on the test split; a target can be missed there.

| name | thresholds | sensitivity | specificity |
| --- | --- | --- | --- |
${evaluation.points
  .map(
    (one) =>
      `| ${one.name} | ${thresholds(one.thresholds)} | ${share(one.test.sensitivity)} | ${share(one.test.specificity)} |`,
  )
  .join('\n')}

## Calibration

${calibration(evaluation)}

![Reliability](results/reliability.png)
`
}

function calibration({ calibration: fitted, quality }: Evaluation): string {
  const { raw, calibrated } = quality
  const error = (one: typeof raw) => plain({ value: one.ece, interval: one.eceInterval })
  if (!fitted) {
    return `None: there are too few images to fit one. Expected calibration error on the test split: ${error(raw)}.`
  }
  if (fitted.temperature === 1) {
    return `Temperature 1: another did not help on unseen images among the ${fitted.n} for calibration. Expected calibration error on the test split: ${error(raw)}.`
  }
  return `Temperature scaling: logits are divided by ${fitted.temperature.toFixed(4)}, fitted on ${fitted.n} images. Expected calibration error on the test split: ${error(raw)} before, ${error(calibrated)} after.`
}

function thresholds(all: Readonly<Record<string, number>>): string {
  const entries = Object.entries(all)
  if (entries.length === 0) return 'the most probable class'
  return entries.map(([label, value]) => `${cell(label)} >= ${value.toFixed(3)}`).join(', ')
}

function share({ value, interval }: Estimate): string {
  const percent = (one: number) => `${(100 * one).toFixed(1)}%`
  if (value === null) return 'undefined'
  return interval
    ? `${percent(value)} (${percent(interval[0])} to ${percent(interval[1])})`
    : percent(value)
}

function plain({ value, interval }: Estimate): string {
  if (value === null) return 'undefined'
  const figure = (one: number) => one.toFixed(3)
  return interval
    ? `${figure(value)} (${figure(interval[0])} to ${figure(interval[1])})`
    : figure(value)
}

/** A label in a table of Markdown, whatever it holds. */
export function cell(label: string): string {
  return label.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\|`*_<>[\]]/g, (sign) => `\\${sign}`)
}
