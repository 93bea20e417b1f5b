// How a setting is declared once (label, hint, range, default) and described as plain data, from which the form, the
// command line and the reference are made. Which settings there are is hyperparameters.ts and thermal/settings.ts.
import { z } from 'zod'

export type SettingGroup = 'learning' | 'images' | 'augmentation' | 'output' | 'thermal'

export interface Declaration {
  readonly label: string
  readonly hint: string
  readonly group: SettingGroup
  readonly unit?: string
  /** What an empty field means where the schema has no default: "the preset’s". */
  readonly otherwise?: string
  /** A text for each value of a list of choices. */
  readonly choices?: Readonly<Record<string, string>>
  /** A check box with this value, which is never the default. */
  readonly check?: 'true' | 'false' | 'null'
  /** A share that people give as a percentage. */
  readonly isPercent?: true
  /** Name of its own option of the command line, without dashes; any other is given by `--set`. */
  readonly option?: string
  /** Where the form has a control of its own for it. */
  readonly hasOwnControl?: true
}

/** A setting as data: everything that a form, an option or a table needs. */
export interface SettingField extends Declaration {
  /** As in the request: `epochs`, `augmentation.shift`. */
  readonly path: string
  readonly kind: 'number' | 'choice' | 'check' | 'text'
  /** Of numbers. */
  readonly range: { readonly min: number; readonly max: number; readonly isWhole: boolean } | null
  /** Undefined: it has none of its own, see `otherwise`. */
  readonly usual: unknown
}

const declared = z.registry<Declaration>()

/** The schema with its declaration; label and hint also go into JSON Schema. */
export function setting<T extends z.ZodType>(schema: T, declaration: Declaration): T {
  const { label: title, hint: description } = declaration
  const described = schema.meta({ title, description })
  declared.add(described, declaration)
  return described
}

/** Every declared setting of an object, those of objects within it included. */
export function fieldsOf(object: z.ZodObject, prefix = ''): SettingField[] {
  return Object.entries(object.shape).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`
    const own = fieldOfSchema(schema as z.ZodType, path)
    const inner = innermost(schema as z.ZodType)
    const within = inner instanceof z.ZodObject ? fieldsOf(inner, `${path}.`) : []
    return own ? [own, ...within] : within
  })
}

function fieldOfSchema(schema: z.ZodType, path: string): SettingField | undefined {
  const declaration = declared.get(schema)
  if (!declaration) return undefined
  const { anyOf, ...whole } = z.toJSONSchema(schema, { io: 'input' })
  const number = [whole, ...(anyOf ?? [])].find(({ type }) => /number|integer/.test(String(type)))
  const isChoice = declaration.choices !== undefined
  const kind = declaration.check ? 'check' : isChoice ? 'choice' : number ? 'number' : 'text'
  const range =
    kind === 'number' && number
      ? {
          min: number.minimum ?? Number(number.exclusiveMinimum ?? Number.MIN_SAFE_INTEGER),
          max: number.maximum ?? Number.MAX_SAFE_INTEGER,
          isWhole: number.type === 'integer',
        }
      : null
  return { ...declaration, path, kind, range, usual: whole.default }
}

function innermost(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) {
    inner = inner.unwrap() as z.ZodType
  }
  return inner
}

/** "Default: 32", or where the value comes from. */
export function usualOf({ usual, otherwise, choices, isPercent }: SettingField): string {
  if (otherwise !== undefined) return otherwise
  if (usual === undefined) return 'none'
  if (typeof usual === 'boolean') return usual ? 'yes' : 'no'
  if (isPercent) return `${100 * Number(usual)} %`
  return choices?.[String(usual)] ?? String(usual)
}

/**
 * The request's value of a text from a form: numbers (a decimal comma is taken) and the three words of JSON as such. What is no number stays text, for
 * the schema to refuse it.
 */
export function settingValue({ kind, check, isPercent }: SettingField, text: string): unknown {
  if (kind === 'text') return text
  // A ticked box without a value of its own.
  if (kind === 'check' && check && text === 'on') return JSON.parse(check)
  if (kind === 'number') {
    const value = Number(text.replace(',', '.'))
    if (!Number.isFinite(value)) return text
    return isPercent ? value / 100 : value
  }
  return /^(true|false|null|\d+)$/.test(text) ? JSON.parse(text) : text
}

/** `{ "augmentation.shift": 0.1 }` as the nested object of a request; a null for the whole object wins. */
export function nested(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  // A map, so that no path can reach the prototype of what is given out.
  const result = new Map<string, unknown>()
  for (const [path, value] of values) {
    const [name = '', inner] = path.split('.')
    const before = result.get(name)
    if (inner === undefined) result.set(name, value)
    else if (before !== null)
      result.set(name, { ...(before as object | undefined), [inner]: value })
  }
  return Object.fromEntries(result)
}
