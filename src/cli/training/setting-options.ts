// Options of a command for the settings of a training that declare one, and their values as the request has them.
import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  nested,
  type SettingField,
  type SettingGroup,
  usualOf,
} from '../../training/setting-fields.ts'
import { TRAINING_FIELDS } from '../../training/settings.ts'

const withOption = TRAINING_FIELDS.filter(({ option }) => option !== undefined)

/** Former names, still taken. */
const FORMER: Readonly<Record<string, string>> = {
  'resume-below': 'go-on-below',
  'gpu-resume-below': 'gpu-go-on-below',
}

/** Those of every group unless some are named. */
export function addSettingOptions(command: Command, groups?: readonly SettingGroup[]): Command {
  for (const one of withOption.filter(({ group }) => groups?.includes(group) ?? true)) {
    const name = one.option ?? ''
    command.addOption(optionOf(one, name))
    const former = FORMER[name]
    if (former !== undefined) command.addOption(optionOf(one, former).hideHelp())
  }
  return command
}

/** `{ "thermal": { "threads": 2 } }`; nothing of what was not given. */
export function settingsOf(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = withOption.flatMap((one) => {
    const name = one.option ?? ''
    const value = options[attributeOf(name)] ?? options[attributeOf(FORMER[name] ?? name)]
    return value === undefined ? [] : [[one.path, value] as const]
  })
  return nested(new Map(given))
}

function attributeOf(option: string): string {
  return new Option(`--${option}`).attributeName()
}

function optionOf(one: SettingField, name: string): Option {
  const { label, hint, unit, range, kind } = one
  if (kind === 'check') return new Option(`--${name}`, `${label}. ${hint}`)
  const argument =
    range === null ? 'name' : unit === '°C' ? 'celsius' : unit === '%' ? 'percent' : 'number'
  const words = `${label}. ${hint} Default: ${usualOf(one)}`
  const option = new Option(`--${name} <${argument}>`, words)
  return range === null ? option : option.argParser((text) => numberOf(one, text))
}

/** As the request has it. */
function numberOf({ range, isPercent }: SettingField, text: string): number {
  const times = isPercent ? 100 : 1
  const { min, max, isWhole } = range ?? { min: 0, max: 0, isWhole: false }
  const value = Number(text)
  const fits = text.trim() !== '' && value >= min * times && value <= max * times
  if (fits && (!isWhole || Number.isInteger(value))) return value / times
  const kind = isWhole ? 'a whole number' : 'a number'
  throw new InvalidArgumentError(`It must be ${kind} from ${min * times} to ${max * times}.`)
}
