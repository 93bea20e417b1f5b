// A comparison of several versions to take away: results, tables and plots as one zip.
import { ZipFile } from 'yazl'
import { comparisonFilesApart } from '../../evaluation/comparison/comparison-process.ts'
import type { ComparisonResults } from '../../evaluation/comparison/comparison-results.ts'

export async function comparisonZip(results: ComparisonResults): Promise<Uint8Array<ArrayBuffer>> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(await comparisonFilesApart(results))) {
    zip.addBuffer(Buffer.from(content), name)
  }
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk))
  return Uint8Array.from(Buffer.concat(chunks))
}
