// HiResCAM (Draelos and Carin 2020): gradients kept where they are, no averaging.
// Equal to Grad-CAM when global average pooling and a linear head follow the layer.
import { type EvidenceMap, gradientAt, type LayerEvidence, rectifiedSum } from './evidence.ts'

/** L = ReLU(sum_k g^k * A^k), element by element. */
export function hiResCam(layer: LayerEvidence): EvidenceMap {
  return rectifiedSum(layer, (place, channel) => gradientAt(layer, place, channel))
}
