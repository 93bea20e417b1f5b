// Plots as a page takes them: without a title of their own, with the addresses of their files.
import { links } from '../../../views/shared/links.ts'
import type { ShownPlot } from '../../../views/shared/plot.ts'
import type { Plot } from '../../evaluation/plots/node.ts'
import { pagePlot } from '../../evaluation/plots/sheet.ts'
import type { Version } from '../../registry/versions/versions.ts'

const FORMATS = ['png', 'pdf', 'svg'] as const

/** Loss and accuracy each by itself, which fits a narrow page; both in one drawing is only a file. */
export function shownPlots({ id }: Pick<Version, 'id'>, plots: readonly Plot[]): ShownPlot[] {
  return plots
    .filter(({ name }) => name !== 'training_curves')
    .map((plot) => ({
      name: plot.name,
      title: plot.title,
      drawing: pagePlot(plot),
      files: FORMATS.map((format) => ({
        text: format.toUpperCase(),
        href: links.versionPlot(id, `${plot.name}.${format}`),
      })),
    }))
}
