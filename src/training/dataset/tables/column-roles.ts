// What the columns of a label table mean, told by their names and by what stands in them: which names the image, which
// its label or findings, its patient, its split.
import type { Table } from '../../../package/csv.ts'
import { isFlagColumn } from './flag-words.ts'

export interface ColumnRoles {
  readonly file: number
  /** Either one column of labels, or columns that each say yes or no to a finding. */
  readonly labels: { readonly column: number } | { readonly flags: readonly number[] }
  /** Patient, lesion or study. */
  readonly group: number | undefined
  readonly split: number | undefined
}

const FILE = list(
  'file filename file_name image image_id imageid image_index image_name path image_path filepath id_code dicom_id sopinstanceuid id name',
)
const LABEL = list(
  'label labels class class_name dx diagnosis finding findings finding_labels target category level',
)
/** A single column of this name is the finding, and its denial the other class. */
const FINDING = list('fractured fracture abnormal positive osteoporosis pneumonia malignant cancer')
/** The findings of NIH ChestX-ray14, CheXpert, MIMIC-CXR and VinDr-CXR. */
const CHEST = list(
  'no_finding enlarged_cardiomediastinum cardiomegaly lung_opacity lung_lesion edema consolidation pneumonia atelectasis pneumothorax pleural_effusion pleural_other fracture support_devices effusion infiltration mass nodule emphysema fibrosis pleural_thickening hernia tuberculosis',
)
const GROUP = list(
  'patient patient_id patientid patient_number subject subject_id subjectid lesion_id lesionid case_id study_id',
)
const SPLIT = list('split subset fold set partition')
/** Yes or no about the image or the patient, and no finding. */
const ABOUT = list(
  'sex gender age male female view frontal_lateral ap_pa hand leg hip shoulder mixed hardware multiscan frontal lateral oblique follow_up',
)
const MIN_CHEST = 3

/** Which of the columns has the image, by how many of its cells name one. */
type CountJoined = (cells: readonly string[]) => number

/** Undefined for a table that says nothing about these images. */
export function findRoles(table: Table, countJoined: CountJoined): ColumnRoles | undefined {
  const names = table.columns.map(normalised)
  const cells = (column: number) => table.rows.map((row) => row[column] ?? '')
  const file = fileColumn(names, (column) => countJoined(cells(column)))
  if (file === undefined) return undefined
  const find = (wanted: readonly string[]) => firstOf(names, wanted, file)
  const [group, split, label] = [find(GROUP), find(SPLIT), find(LABEL)]
  if (label !== undefined) return { file, labels: { column: label }, group, split }
  const others = [...names.keys()].filter((at) => at !== file && at !== group && at !== split)
  const chest = others.filter((at) => CHEST.includes(names[at] ?? ''))
  if (chest.length >= MIN_CHEST) {
    const more = others.filter((at) => !chest.includes(at) && isFinding(names[at], cells(at)))
    return { file, labels: { flags: [...chest, ...more].sort((a, b) => a - b) }, group, split }
  }
  const named = others.filter((at) => FINDING.includes(names[at] ?? ''))
  if (named.length === 1) return { file, labels: { flags: named }, group, split }
  const flags = others.filter((at) => isFinding(names[at], cells(at)))
  return flags.length === 0 ? undefined : { file, labels: { flags }, group, split }
}

function isFinding(name: string | undefined, cells: readonly string[]): boolean {
  return !ABOUT.includes(name ?? '') && isFlagColumn(cells)
}

function fileColumn(
  names: readonly string[],
  joined: (column: number) => number,
): number | undefined {
  const rank = (column: number) => {
    const at = FILE.indexOf(names[column] ?? '')
    return at === -1 ? FILE.length : at
  }
  return [...names.keys()]
    .map((column) => ({ column, count: joined(column) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || rank(a.column) - rank(b.column))[0]?.column
}

function firstOf(
  names: readonly string[],
  wanted: readonly string[],
  not: number,
): number | undefined {
  const found = wanted.map((name) => names.indexOf(name)).find((at) => at !== -1 && at !== not)
  return found
}

/** "Finding Labels", "finding-labels" and "FINDING_LABELS" are one. */
function normalised(name: string): string {
  return name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\s_\-./]+/g, '_')
    .replace(/^_|_$/g, '')
}

function list(text: string): readonly string[] {
  return text.split(' ')
}
