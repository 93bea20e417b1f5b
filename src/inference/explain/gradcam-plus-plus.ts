// Grad-CAM++ (Chattopadhay et al. 2018), closed form for y = exp(score): places with a positive gradient are weighted
// so that several small findings count like one large one. Its values are not in logit units.
import { type EvidenceMap, gradientAt, type LayerEvidence, rectifiedSum } from './evidence.ts'

/** alpha_k = sum_ij a_ij ReLU(g_ij), a_ij = g^2 / (2 g^2 + (sum A^k) g^3); a is 0 where the denominator is not positive. */
export function gradCamPlusPlus(layer: LayerEvidence): EvidenceMap {
  const places = layer.height * layer.width
  const alpha = new Float64Array(layer.channels)
  for (let channel = 0; channel < layer.channels; channel++) {
    let total = 0
    for (let place = 0; place < places; place++) {
      total += layer.features[place * layer.channels + channel] ?? 0
    }
    let weight = 0
    for (let place = 0; place < places; place++) {
      const g = gradientAt(layer, place, channel)
      // g^2 is divided out, so that small gradients do not underflow.
      const denominator = 2 + total * g
      if (g > 0 && denominator > 0) weight += g / denominator
    }
    alpha[channel] = weight
  }
  return rectifiedSum(layer, (_, channel) => alpha[channel] ?? 0)
}
