// Lines of a condition's history to render: activated, refused, rolled back.
import type { Activation } from '../../src/registry/activation/activations.ts'
import { digest } from './samples.ts'

const AT = '2026-11-20T18:47:03.123Z'

const steps = [
  { name: 'manifest', ok: true, ms: 14, detail: '21 files' },
  { name: 'load', ok: true, ms: 310, detail: 'fresh host, 48 MiB' },
  { name: 'golden', ok: true, ms: 22, detail: '4 images within 0.00001' },
] as const

export const history: readonly Activation[] = [
  {
    id: 'act_3',
    condition: 'pneumonia',
    version: 'pneumonia/tiny-cnn@3',
    sha256: digest(3),
    previous: 'pneumonia/tiny-cnn@2',
    at: AT,
    by: 'someone',
    via: 'api',
    reason: 'newer',
    outcome: 'refused',
    precision: null,
    steps: [
      {
        name: 'manifest',
        ok: false,
        ms: 9,
        detail: 'models/tiny-cnn.onnx differs from the manifest',
      },
    ],
  },
  {
    id: 'act_2',
    condition: 'pneumonia',
    version: 'pneumonia/tiny-cnn@2',
    sha256: digest(2),
    previous: 'pneumonia/tiny-cnn@1',
    at: AT,
    by: 'someone',
    via: 'page',
    reason: 'better on the test set',
    outcome: 'activated',
    precision: 'float32',
    steps: [
      ...steps,
      { name: 'metrics', ok: true, ms: 0, detail: '0.871 against 0.842' },
      { name: 'pointer', ok: true, ms: 3, detail: '' },
    ],
  },
]
