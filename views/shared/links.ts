// Every address that a page links to or posts to; views build no URL themselves.

type Query = Readonly<Record<string, string | number | undefined | null>>

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value))
  }
  return search.size > 0 ? `${path}?${search}` : path
}

/** `pneumonia/tiny-cnn@3` as the path segments `pneumonia/tiny-cnn/3`. */
function versionSegments(id: string): string {
  return id
    .replace(/@(?=[^@]*$)/, '/')
    .split('/')
    .map(encodeURIComponent)
    .join('/')
}

function withVersions(path: string, versions: readonly string[], rank?: string): string {
  const search = new URLSearchParams()
  for (const id of versions) search.append('version', id)
  if (rank) search.set('rank', rank)
  return search.size > 0 ? `${path}?${search}` : path
}

const condition = (id: string): string => `/conditions/${encodeURIComponent(id)}`
const ab = (id: string): string => `/ab/${encodeURIComponent(id)}`
const job = (id: string): string => `/api/v1/jobs/${encodeURIComponent(id)}`
const prediction = (id: string): string => `/predictions/${encodeURIComponent(id)}`
const version = (id: string): string => `/models/${versionSegments(id)}`

export const links = {
  diagnose: (query: Query = {}): string => withQuery('/', query),
  compare: (query: Query = {}): string => withQuery('/compare', query),
  blind: (id: string): string => `/compare/blind/${encodeURIComponent(id)}`,
  blindStep: (id: string, step: 'read' | 'vote'): string =>
    `/compare/blind/${encodeURIComponent(id)}/${step}`,
  blindTallies: (id: string): string => `${condition(id)}/votes`,
  ab: (query: Query = {}): string => withQuery('/ab', query),
  abJob: (id: string, query: Query = {}): string => withQuery(ab(id), query),
  abAction: (id: string, action: string): string => `${ab(id)}/${action}`,
  abImage: (id: string, n: number): string => `${ab(id)}/images/${n}`,
  abCsv: (id: string, query: Query = {}): string => withQuery(`${ab(id)}/table.csv`, query),
  jobs: (query: Query = {}): string => withQuery('/status/jobs', query),
  jobCancel: (id: string): string => `/status/jobs/${encodeURIComponent(id)}/cancel`,
  jobJson: (id: string): string => job(id),
  jobEvents: (id: string): string => `${job(id)}/events`,
  jobCancelJson: (id: string): string => `${job(id)}/cancel`,
  batches: '/batch',
  batch: (id: string): string => `/batch/${encodeURIComponent(id)}`,
  batchCsv: (id: string): string => `/batch/${encodeURIComponent(id)}/results.csv`,
  predictions: (query: Query = {}): string => withQuery('/predictions', query),
  prediction,
  predictionFeedback: (id: string): string => `${prediction(id)}/feedback`,
  predictionDelete: (id: string): string => `${prediction(id)}/delete`,
  predictionImage: (id: string): string => `${prediction(id)}/image`,
  predictionThumbnail: (id: string): string => `${prediction(id)}/image?size=thumb`,
  predictionJson: (id: string): string => `/api/v1/predictions/${encodeURIComponent(id)}`,
  predictionReport: (id: string): string =>
    `/api/v1/predictions/${encodeURIComponent(id)}/report.pdf`,
  predictionCapture: (id: string): string =>
    `/api/v1/predictions/${encodeURIComponent(id)}/secondary-capture.dcm`,
  predictionSr: (id: string): string =>
    `/api/v1/predictions/${encodeURIComponent(id)}/structured-report.dcm`,
  heatmapAtScale: (url: string, scale: number): string => withQuery(url, { scale }),
  heatmapComposite: (url: string): string => withQuery(url, { composite: 1 }),
  models: (query: Query = {}): string => withQuery('/models', query),
  modelImport: '/models/import',
  modelComparison: (versions: readonly string[], rank?: string): string =>
    withVersions('/models/compare', versions, rank),
  comparisonJson: (versions: readonly string[]): string =>
    withVersions('/api/v1/comparisons', versions),
  comparisonExport: (versions: readonly string[]): string =>
    withVersions('/api/v1/comparisons/export', versions),
  modelImportOne: (id: string): string => `/models/import/${encodeURIComponent(id)}`,
  modelImportStep: (id: string, step: 'try' | 'save' | 'discard'): string =>
    `/models/import/${encodeURIComponent(id)}/${step}`,
  version,
  versionEdit: (id: string): string => `${version(id)}/edit`,
  versionDelete: (id: string): string => `${version(id)}/delete`,
  versionUndelete: (id: string): string => `${version(id)}/undelete`,
  versionExport: (id: string): string => `/api/v1/versions/${versionSegments(id)}/export`,
  versionJson: (id: string): string => `/api/v1/versions/${versionSegments(id)}`,
  versionPlot: (id: string, file: string): string =>
    `/api/v1/versions/${versionSegments(id)}/plots/${file}`,
  versionEvaluations: (id: string): string => `${version(id)}/evaluations`,
  evaluation: (id: string, evaluation: string): string =>
    `${version(id)}/evaluations/${encodeURIComponent(evaluation)}`,
  evaluationJson: (id: string, evaluation: string): string =>
    `/api/v1/versions/${versionSegments(id)}/evaluations/${encodeURIComponent(evaluation)}`,
  conditions: '/conditions',
  condition: (id: string, query: Query = {}): string => withQuery(condition(id), query),
  activate: (id: string): string => `${condition(id)}/activate`,
  challenger: (id: string): string => `${condition(id)}/challenger`,
  rollback: (id: string): string => `${condition(id)}/rollback`,
  aliases: (id: string): string => `${condition(id)}/aliases`,
  promotionRule: (id: string): string => `${condition(id)}/promotion-rule`,
  conditionSettings: (id: string): string => `${condition(id)}/settings`,
  datasets: '/datasets',
  datasetScan: '/datasets/scan',
  dataset: (id: string): string => `/datasets/${encodeURIComponent(id)}`,
  datasetPrepare: (id: string): string => `/datasets/${encodeURIComponent(id)}/prepare`,
  datasetLabelCheck: (id: string): string => `/datasets/${encodeURIComponent(id)}/label-check`,
  datasetExclude: (id: string): string => `/datasets/${encodeURIComponent(id)}/exclude`,
  datasetImage: (id: string, file: string): string =>
    withQuery(`/datasets/${encodeURIComponent(id)}/image`, { file }),
  training: (query: Query = {}): string => withQuery('/training', query),
  run: (id: string): string => `/training/${encodeURIComponent(id)}`,
  runAction: (id: string, action: string): string =>
    `/training/${encodeURIComponent(id)}/${action}`,
  runSet: (id: string): string => `/training/sets/${encodeURIComponent(id)}`,
  runSetJson: (id: string): string => `/api/v1/run-sets/${encodeURIComponent(id)}`,
  runWholeSet: '/training/whole-set',
  trainingFit: '/training/fit',
  trainingCondition: '/training/condition',
  runEvents: (id: string): string => `/api/v1/runs/${encodeURIComponent(id)}/events`,
  runJson: (id: string): string => `/api/v1/runs/${encodeURIComponent(id)}`,
  archive: '/archive',
  archiveRules: '/archive/rules',
  status: '/status',
  notifications: '/status/notifications',
  notificationAction: (id: string, action: 'test' | 'switch' | 'delete'): string =>
    `/status/notifications/${encodeURIComponent(id)}/${action}`,
  apiDocs: '/api/docs',
  openapi: '/api/v1/openapi.json',
  asset: (file: string, product: string): string => withQuery(`/public/${file}`, { v: product }),
} as const
