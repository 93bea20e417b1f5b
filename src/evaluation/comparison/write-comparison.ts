// Everything that a comparison leaves as files, made from its results alone.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { filePlot, svgText } from '../plots/sheet.ts'
import { plotFiles } from '../plots/write-plots.ts'
import { comparisonPlots } from './comparison-plots.ts'
import type { ComparisonResults } from './comparison-results.ts'
import { latexTables, modelsCsv, pairsCsv, perClassCsv } from './tables.ts'

/** Names and contents: results, tables, plots as PNG (300 dpi), PDF and SVG. */
export async function comparisonFiles(
  results: ComparisonResults,
): Promise<Record<string, string | Uint8Array>> {
  const plots = comparisonPlots(results)
  const about = `${results.condition}, ${results.models.length} models, ${results.images} test images`
  return {
    'comparison_results.json': `${JSON.stringify(results, null, 2)}\n`,
    'comparison_table.csv': modelsCsv(results),
    'comparison_pairs.csv': pairsCsv(results),
    'comparison_classes.csv': perClassCsv(results),
    'comparison_tables.tex': latexTables(results),
    'summary_statistics.json': `${JSON.stringify(results.summary, null, 2)}\n`,
    ...Object.fromEntries(
      plots.map((plot) => [`${plot.name}.svg`, svgText(filePlot(plot, about))]),
    ),
    ...(await plotFiles(plots, about)),
  }
}

/** Into a folder, which is made; files of the same names are written anew. Returns their names. */
export async function writeComparison(results: ComparisonResults, dir: string): Promise<string[]> {
  const files = await comparisonFiles(results)
  await mkdir(dir, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content)
  return Object.keys(files)
}
