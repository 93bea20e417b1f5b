// What the OpenAPI document says about evaluations of versions and their plots.
import type { Operation } from './openapi-operation.ts'

export const EVALUATION: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/versions/{condition}/{name}/{n}/plots/{file}',
    tag: 'versions',
    summary: 'A plot of a version as a file',
    description:
      'training_curves, loss_curve, accuracy_curve, confusion_matrix, roc, pr or reliability, with .png (300 dpi), .pdf ' +
      '(text as text) or .svg. That of the package where it has one, else drawn from what the package says.',
    answers: { 200: { description: 'The plot', type: 'image/png' } },
    errors: [['404', 'unknown-version, not-found: the version brings no such results']],
  },
]
