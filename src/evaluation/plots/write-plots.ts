// Plots as files for papers and slides: PNG at 300 dpi and PDF, by their names.
import type { Plot } from './node.ts'
import { pdfOf } from './pdf.ts'
import { openPngWriter } from './png.ts'
import { filePlot } from './sheet.ts'

/** `<name>.png` and `<name>.pdf` of each, with what is in them. `about` stands below each title, e.g. which model it is. */
export async function plotFiles(
  plots: readonly Plot[],
  about: string,
): Promise<Record<string, Uint8Array>> {
  const pngOf = await openPngWriter()
  const files: Record<string, Uint8Array> = {}
  for (const plot of plots) {
    const drawing = filePlot(plot, about)
    files[`${plot.name}.png`] = pngOf(drawing)
    files[`${plot.name}.pdf`] = await pdfOf(drawing, `${plot.title}: ${about}`)
  }
  return files
}
