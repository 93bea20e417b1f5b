// The items that a structured report is built of (PS3.3 C.17.3), as dcmjs takes them.
import type { DataSet } from './part10.ts'

export interface Code {
  readonly value: string
  readonly scheme: string
  readonly meaning: string
}

type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS CONCEPT MOD'

/** A concept of PS3.16 annex D. */
export const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning })
export const snomed = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning })

export function codeSequence({ value, scheme, meaning }: Code): DataSet[] {
  return [{ CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning.slice(0, 64) }]
}

function item(
  relationship: Relationship,
  o: { type: string; name: Code; value: DataSet },
): DataSet {
  return {
    RelationshipType: relationship,
    ValueType: o.type,
    ConceptNameCodeSequence: codeSequence(o.name),
    ...o.value,
  }
}

export function text(relationship: Relationship, name: Code, value: string): DataSet {
  return item(relationship, { type: 'TEXT', name, value: { TextValue: value } })
}

export function code(relationship: Relationship, name: Code, value: Code): DataSet {
  const sequence = { ConceptCodeSequence: codeSequence(value) }
  return item(relationship, { type: 'CODE', name, value: sequence })
}

export function uidReference(relationship: Relationship, name: Code, uid: string): DataSet {
  return item(relationship, { type: 'UIDREF', name, value: { UID: uid } })
}

export function number(name: Code, o: { readonly value: number; readonly unit: Code }): DataSet {
  const measured = {
    MeasuredValueSequence: [
      {
        NumericValue: String(Number(o.value.toPrecision(6))).slice(0, 16),
        MeasurementUnitsCodeSequence: codeSequence(o.unit),
      },
    ],
  }
  return item('CONTAINS', { type: 'NUM', name, value: measured })
}

export function container(name: Code, content: readonly DataSet[], template?: string): DataSet {
  return item('CONTAINS', {
    type: 'CONTAINER',
    name,
    value: {
      ContinuityOfContent: 'SEPARATE',
      ...(template && { ContentTemplateSequence: templateOf(template) }),
      ContentSequence: content,
    },
  })
}

export function templateOf(identifier: string): DataSet[] {
  return [{ MappingResource: 'DCMR', TemplateIdentifier: identifier }]
}

/** An image among the contents of a container; it has no name of its own. */
export function imageItem(reference: DataSet): DataSet {
  return { RelationshipType: 'CONTAINS', ValueType: 'IMAGE', ReferencedSOPSequence: [reference] }
}
