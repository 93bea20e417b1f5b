// The attributes that may leave the decoder: an allow-list of tags and, for each, of values. A name that someone typed into
// "body part" is no body part, so it stays inside. Everything else of a data set is never read as text.
import type { PassportTag } from '../passport.ts'
import { findCode } from './attributes.ts'
import type { Attributes } from './data-set.ts'
import type { ImageHeader } from './image-header.ts'

const list = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** PS3.3 C.7.3.1.1.1; those of objects without pixels are left out. */
const MODALITIES = list(
  'CR DX DR RF XA XC MG PX IO RG CT MR US NM PT OT SC ES SM GM OP OPT TG BI BMD DG DMS EPS GMS IVUS LS MA MS RTIMAGE RTDOSE SEG ST VA',
)

/** PS3.16 annex L, what is radiographed, and spellings that are common though not in it. */
const BODY_PARTS = list(
  'ABDOMEN ABDOMENPELVIS ACJOINT ANKLE ARM AXILLA BACK BLADDER BODY BONE BRAIN BREAST CALCANEUS CALF CAROTID CEREBELLUM CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CLAVICLE COCCYX COLON CORNEA CSPINE CTSPINE ELBOW ESOPHAGUS EXTREMITY EYE FACE FEMUR FINGER FOOT FOREARM HAND HEAD HEADNECK HEART HIP HUMERUS JAW KIDNEY KNEE LEG LIVER LOWLEG LSPINE LSSPINE LUNG MANDIBLE MAXILLA MEDIASTINUM NECK NECKCHEST ORBIT PATELLA PELVIS RIB RIBS SACRUM SCALP SCAPULA SHOULDER SIJOINT SKIN SKULL SPINE SSPINE STERNUM STOMACH TEETH THIGH THORAX THUMB TIBIA TIBFIB TLSPINE TMJ TOE TSPINE ULNA UPARM UTERUS WHOLEBODY WRIST ZYGOMA',
)

/** PS3.3 C.8.11.5.1.1 and C.8.1.1.1. */
const VIEWS = list('AP PA LL RL RLD LLD RLO LLO LATERAL LAT OBLIQUE AXIAL CC MLO ML LM XCC')

interface Allowed {
  readonly name: string
  readonly tag: string
  readonly values: ReadonlySet<string>
}

const ALLOWED: readonly Allowed[] = [
  { name: 'Modality', tag: 'x00080060', values: MODALITIES },
  { name: 'Body part', tag: 'x00180015', values: BODY_PARTS },
  { name: 'View position', tag: 'x00185101', values: VIEWS },
  { name: 'Laterality', tag: 'x00200060', values: list('R L B U') },
  { name: 'Image laterality', tag: 'x00200062', values: list('R L B U') },
  { name: 'Burned-in annotation', tag: 'x00280301', values: list('YES NO') },
]

const INTENTS: ReadonlySet<string> = new Set(['FOR PRESENTATION', 'FOR PROCESSING'])

export function passportTags(attributes: Attributes, header: ImageHeader): PassportTag[] {
  const allowed = [...ALLOWED, { name: 'Intent', tag: 'x00080068', values: INTENTS }]
  const named = allowed.flatMap(({ name, tag, values }) => {
    const text = findCode(attributes, tag)
    const value = values === BODY_PARTS ? text?.replaceAll(/[ _-]/g, '') : text
    return value !== undefined && values.has(value) ? [{ name, value }] : []
  })
  const { photometric, bitsStored, bitsAllocated, signed, frames } = header
  return [
    ...named,
    { name: 'Photometric interpretation', value: photometric },
    { name: 'Bits', value: `${bitsStored} of ${bitsAllocated}${signed ? ', signed' : ''}` },
    ...(frames > 1 ? [{ name: 'Frames', value: String(frames) }] : []),
  ]
}

/** Sentences for the person who sent the file. */
export function tagWarnings(tags: readonly PassportTag[]): string[] {
  const has = (name: string, value: string) =>
    tags.some((one) => one.name === name && one.value === value)
  const warnings: string[] = []
  if (has('Intent', 'FOR PROCESSING')) {
    warnings.push(
      'The image is raw (for processing): the manufacturer’s processed image looks different.',
    )
  }
  if (has('Burned-in annotation', 'YES')) {
    warnings.push('Text is burned into the picture; it may identify the patient.')
  }
  return warnings
}
