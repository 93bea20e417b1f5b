// The two graphs of a version side by side, and the choice between them when it is activated. Nothing is shown of a version
// that has only one.
import { html } from 'hono/html'
import type { Version } from '../../src/registry/versions/versions.ts'
import { field, type Html, size } from '../shared/components.ts'
import { score } from '../shared/format.ts'
import { METRICS, metricText } from '../shared/version-parts.ts'

/** Which graph is to answer; sent as `precision`. */
export function precisionField(prefix: string, versions: readonly Version[]): Html | undefined {
  if (!versions.some((one) => one.int8)) return undefined
  const id = `${prefix}-precision`
  return field(id, {
    label: 'Precision',
    control: html`<select id="${id}" name="precision">
      <option value="auto">auto: the faster one, measured now</option>
      <option value="float32">float32, as trained</option>
      <option value="int8">int8, if available</option>
    </select>`,
    hint: 'int8 has its own golden images, temperature and thresholds',
  })
}

/** What int8 costs in figures and saves in size. */
export function precisionTable(version: Version): Html | undefined {
  const { int8, metrics } = version
  if (!int8) return undefined
  const rows = METRICS.map(({ key, text }) => [
    text,
    metricText(key, metrics?.[key] ?? null),
    metricText(key, int8.metrics?.[key] ?? null),
  ])
  const temperature = ({ calibration }: Pick<Version, 'calibration'>) =>
    calibration ? score(calibration.temperature) : '–'
  return html`<section class="panel" aria-label="Precision"><h2>Precision</h2>
    <div class="table-wrap" tabindex="0" role="region" aria-label="Figures in both precisions"><table class="table">
      <thead><tr><th scope="col">On the test images</th><th scope="col" class="number">float32</th>
        <th scope="col" class="number">int8</th></tr></thead>
      <tbody>${[
        ...rows,
        ['Temperature', temperature(version), temperature(int8)],
        ['Graph size', size(bytesOf(version, false)), size(bytesOf(version, true))],
      ].map(
        ([text, float32, reduced]) => html`<tr><th scope="row">${text}</th>
        <td class="number">${float32}</td><td class="number">${reduced}</td></tr>`,
      )}</tbody>
    </table></div>
    <p class="hint">int8 is available because it loses at most 0.5 points of accuracy on these images. Precision is chosen at activation and recorded with every result.</p>
  </section>`
}

function bytesOf({ files }: Version, isInt8: boolean): number {
  const graphs = files.filter(({ path }) => /^models\/[^/]+\.onnx$/.test(path))
  const wanted = graphs.find(({ path }) => path.endsWith('.int8.onnx') === isInt8)
  return wanted?.size ?? 0
}
