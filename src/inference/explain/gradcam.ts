// Grad-CAM (Selvaraju et al. 2017): each channel weighted by its mean gradient. In logit units for each cell.
import { type EvidenceMap, gradientAt, type LayerEvidence, rectifiedSum } from './evidence.ts'

/** L = ReLU(sum_k alpha_k A^k), alpha_k = mean over places of d score / d A^k. */
export function gradCam(layer: LayerEvidence): EvidenceMap {
  const places = layer.perPlace ? layer.height * layer.width : 1
  const alpha = new Float64Array(layer.channels)
  for (let channel = 0; channel < layer.channels; channel++) {
    let sum = 0
    for (let place = 0; place < places; place++) sum += gradientAt(layer, place, channel)
    alpha[channel] = sum / places
  }
  return rectifiedSum(layer, (_, channel) => alpha[channel] ?? 0)
}
