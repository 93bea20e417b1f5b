// Comparisons of several versions in the OpenAPI document.
import { ComparisonResultsSchema } from '../../evaluation/comparison/comparison-results.ts'
import { json, type Operation } from './openapi-operation.ts'

const query = { version: 'condition/name@n; given twice or more' }
const errors = [
  ['404', 'unknown-version'],
  ['422', 'invalid: fewer than two, of several conditions, or one without results'],
] as const

export const COMPARISON: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/v1/comparisons',
    tag: 'versions',
    summary: 'Several versions of a condition held against each other on their test images',
    description:
      'Figures with 95% intervals, curves, and for versions that were measured on the same images paired tests, adjusted for their number.',
    query,
    answers: { 200: json(ComparisonResultsSchema, 'comparison_results.json') },
    errors,
  },
  {
    method: 'get',
    path: '/api/v1/comparisons/export',
    tag: 'versions',
    summary: 'The same as files: results, tables (CSV, LaTeX), plots (PNG, PDF, SVG)',
    query,
    answers: { 200: { description: 'One zip', type: 'application/zip' } },
    errors,
  },
]
