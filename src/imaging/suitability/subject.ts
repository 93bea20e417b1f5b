// What a condition expects to be shown: a radiograph of which region, or a photograph of skin. Known from its body part, which
// is free text, so that much of it stays unknown; then nothing is said about an image.

export interface Subject {
  /** As people say it; in warnings. */
  readonly name: string
  readonly bodyPart: string
  readonly kind: 'radiograph' | 'photograph' | 'unknown'
  readonly region: Region | undefined
}

export interface Region {
  /** Body parts that a condition may be given, in lower case. */
  readonly words: readonly string[]
  /** Body Part Examined (0018,0015) of images that show it, of PS3.16 annex L; those that are often typed for it too. */
  readonly terms: ReadonlySet<string>
  /** How its radiograph lies on the film: what is dark in it (image-warnings.ts). */
  readonly layout: 'chest' | 'limb' | 'trunk'
}

const words = (text: string): readonly string[] => text.split(', ')
const terms = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const ARM = 'SHOULDER ACJOINT CLAVICLE SCAPULA ARM UPARM HUMERUS ELBOW FOREARM ULNA'
const HAND = 'WRIST HAND FINGER THUMB'
const LEG = 'HIP FEMUR THIGH LEG LOWLEG KNEE PATELLA TIBIA TIBFIB CALF'
const FOOT = 'ANKLE FOOT CALCANEUS TOE'

const REGIONS: readonly Region[] = [
  {
    words: words('chest, thorax, lung, lungs, heart, cardiac, rib, ribs'),
    terms: terms(
      'CHEST THORAX LUNG HEART RIB RIBS STERNUM MEDIASTINUM NECKCHEST CHESTABDOMEN CHESTABDPELVIS',
    ),
    layout: 'chest',
  },
  {
    words: words('hip, hips, pelvis'),
    terms: terms('HIP PELVIS FEMUR THIGH ABDOMENPELVIS SIJOINT EXTREMITY'),
    layout: 'trunk',
  },
  {
    words: words('knee, knees'),
    terms: terms('KNEE PATELLA LEG LOWLEG FEMUR TIBIA TIBFIB EXTREMITY'),
    layout: 'limb',
  },
  {
    words: words('limb, limbs, extremity, extremities, arm, leg, bone'),
    terms: terms(`${ARM} ${HAND} ${LEG} ${FOOT} BONE EXTREMITY`),
    layout: 'limb',
  },
  {
    words: words('shoulder, shoulders, elbow, forearm, humerus, upper arm, upper limb'),
    terms: terms(`${ARM} EXTREMITY`),
    layout: 'limb',
  },
  {
    words: words('hand, hands, wrist, wrists, finger, fingers, thumb'),
    terms: terms(`${HAND} FOREARM ULNA EXTREMITY`),
    layout: 'limb',
  },
  {
    words: words('foot, feet, ankle, ankles, heel, toe, toes, lower leg, shin'),
    terms: terms(`${FOOT} LEG LOWLEG TIBIA TIBFIB CALF EXTREMITY`),
    layout: 'limb',
  },
  {
    words: words('spine, back, cervical spine, thoracic spine, lumbar spine'),
    terms: terms(
      'SPINE CSPINE TSPINE LSPINE SSPINE CTSPINE TLSPINE LSSPINE BACK SACRUM COCCYX NECK',
    ),
    layout: 'trunk',
  },
  {
    words: words('abdomen, belly'),
    terms: terms('ABDOMEN ABDOMENPELVIS CHESTABDOMEN CHESTABDPELVIS COLON STOMACH KIDNEY BLADDER'),
    layout: 'trunk',
  },
  {
    words: words('skull, head, face, jaw, teeth, dental'),
    terms: terms('SKULL HEAD FACE JAW MANDIBLE MAXILLA TEETH TMJ ORBIT ZYGOMA HEADNECK'),
    layout: 'trunk',
  },
  { words: words('breast, breasts'), terms: terms('BREAST AXILLA'), layout: 'trunk' },
]

const SKIN = words('skin, skin lesion, mole, nevus, naevus')
const OTHER_METHOD = /\b(ct|mri?|ultrasound|sonograph\w*|pet|microscop\w*|histolog\w*|scan)\b/i

export function subjectOf(condition: {
  readonly name: string
  readonly bodyPart: string
}): Subject {
  const { name, bodyPart } = condition
  const about = { name, bodyPart }
  const word = bodyPart.trim().toLowerCase()
  // A condition that names another method is no matter of radiographs, wherever in the body it is.
  if (OTHER_METHOD.test(`${name} ${bodyPart}`))
    return { ...about, kind: 'unknown', region: undefined }
  if (SKIN.includes(word)) return { ...about, kind: 'photograph', region: undefined }
  const region = REGIONS.find((one) => one.words.includes(word))
  return { ...about, kind: region ? 'radiograph' : 'unknown', region }
}
