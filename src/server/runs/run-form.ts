// The form that starts trainings, as the body that the API takes: checkboxes `dataset:<id>` and the like become lists,
// empty fields are left out.
import { AppError } from '../../errors.ts'
import { nested, settingValue } from '../../training/setting-fields.ts'
import { TRAINING_FIELDS } from '../../training/settings.ts'
import { fieldOf } from '../http/image-fields.ts'

/** @throws AppError `invalid` */
export function runRequestOf(fields: ReadonlyMap<string, string>): Record<string, unknown> {
  const given = TRAINING_FIELDS.flatMap((setting) => {
    const text = fieldOf(fields, setting.path)
    return text === undefined ? [] : [[setting.path, settingValue(setting, text)] as const]
  })
  return {
    condition: fieldOf(fields, 'condition'),
    dataset: chosen(fields, 'dataset'),
    architecture: chosen(fields, 'architecture'),
    preset: chosen(fields, 'preset'),
    hyperparameters: nested(new Map(given)),
    initFrom: fieldOf(fields, 'initFrom'),
    name: fieldOf(fields, 'name'),
  }
}

/** One as itself, several as a list. @throws AppError `invalid` when none is */
function chosen(fields: ReadonlyMap<string, string>, name: string): string | string[] {
  const prefix = `${name}:`
  const values = [...fields.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
  if (values.length === 0) {
    throw new AppError('invalid', `Choose at least one ${name}.`, { extra: { field: name } })
  }
  return values.length === 1 ? (values[0] ?? '') : values
}
