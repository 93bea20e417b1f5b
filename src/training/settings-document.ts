// docs/reference/hyperparameters.md, written from the declarations by scripts/hyperparameters.ts.
import { type SettingField, usualOf } from './setting-fields.ts'
import { PRESETS, TRAINING_FIELDS } from './settings.ts'

const TITLES = {
  learning: 'Optimization',
  images: 'Images',
  augmentation: 'Augmentation',
  output: 'Result',
  thermal: 'Resource limits',
} as const

export function settingsDocument(): string {
  const sections = Object.entries(TITLES).map(([group, title]) => {
    const rows = TRAINING_FIELDS.filter((one) => one.group === group).map(row)
    const head =
      '| Name | Label | Values | Default | Option | Meaning |\n| --- | --- | --- | --- | --- | --- |'
    return `## ${title}\n\n${head}\n${rows.join('\n')}\n`
  })
  const presets = Object.entries(PRESETS).map(([name, { text }]) => `| \`${name}\` | ${text} |`)
  return `# Hyperparameters

Written by \`node scripts/hyperparameters.ts\` from \`src/training/hyperparameters.ts\` and \`src/training/thermal/settings.ts\`; do not edit.

A name is given in \`hyperparameters\` of \`POST /api/v1/runs\`, as \`--set name=value\` or, where there is one, as an option of its
own. A dotted name is nested: \`{"augmentation": {"shift": 0.1}}\`.

To add one, declare it in \`src/training/hyperparameters.ts\` and use it where it takes effect. The form, the command line, the record's
schema and this page follow; run \`node scripts/formats.ts\` and \`node scripts/hyperparameters.ts\` to write the generated files.

## Presets

| Preset | Meant for |
| --- | --- |
${presets.join('\n')}

${sections.join('\n')}`
}

function row(one: SettingField): string {
  const option = one.option === undefined ? '' : `\`--${one.option}\``
  const cells = [`\`${one.path}\``, one.label, valuesOf(one), usualOf(one), option, one.hint]
  return `| ${cells.join(' | ')} |`
}

function valuesOf({ kind, choices, check, range, unit, isPercent }: SettingField): string {
  if (kind === 'choice')
    return Object.keys(choices ?? {})
      .map((key) => `\`${key}\``)
      .join(', ')
  if (kind === 'check') return check === 'null' ? '`null` disables' : '`true`, `false`'
  if (range === null) return 'text'
  const max = range.max === Number.MAX_SAFE_INTEGER ? '' : ` to ${range.max}`
  return `${range.min}${max}${unit && !isPercent ? ` ${unit}` : ''}`
}
