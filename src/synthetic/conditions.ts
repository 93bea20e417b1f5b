// The six demonstration conditions: their words for the registry and, for each, the drawing and the range of poses.

import { AppError } from '../errors.ts'
import type { ClassLabel, ConditionKind } from '../package/schema.ts'
import { drawHip } from './anatomy/hip.ts'
import { drawKnee } from './anatomy/knee.ts'
import { drawLimb } from './anatomy/limb.ts'
import { drawSkin, type Photograph } from './anatomy/skin.ts'
import { drawCardiomegaly } from './cardiomegaly.ts'
import type { Artefact } from './drawing/artefacts.ts'
import { drawPneumonia } from './pneumonia.ts'
import type { PoseRange, Radiograph, Scene } from './scene.ts'

/** What the registry needs to create the condition. */
export interface SynthCondition {
  readonly id: string
  readonly name: string
  readonly bodyPart: string
  readonly kind: ConditionKind
  /** In the order of the model's outputs; binary: the negative class first. */
  readonly classes: readonly ClassLabel[]
  /** 1: greyscale radiograph; 3: colour photograph. */
  readonly channels: 1 | 3
}

export type Anatomy =
  | { readonly of: 'radiograph'; readonly draw: (scene: Scene) => Radiograph }
  | { readonly of: 'photograph'; readonly draw: (scene: Scene) => Photograph }

interface Recipe {
  readonly anatomy: Anatomy
  readonly pose: PoseRange
  readonly artefacts: readonly Artefact[]
}

function binary(
  id: string,
  words: { name: string; bodyPart: string; positive: string },
): SynthCondition {
  const { name, bodyPart, positive } = words
  const classes = [
    { label: 'NORMAL', positive: false },
    { label: positive, positive: true },
  ]
  return { id, name, bodyPart, kind: 'binary', classes, channels: 1 }
}

const SKIN_CLASSES = ['AKIEC', 'BCC', 'BKL', 'DF', 'MEL', 'NV', 'VASC']
const MALIGNANT = new Set(['AKIEC', 'BCC', 'MEL'])

export const SYNTH_CONDITIONS: readonly SynthCondition[] = [
  binary('pneumonia', { name: 'Pneumonia', bodyPart: 'chest', positive: 'PNEUMONIA' }),
  binary('cardiomegaly', { name: 'Cardiomegaly', bodyPart: 'chest', positive: 'CARDIOMEGALY' }),
  binary('osteoporosis', { name: 'Osteoporosis', bodyPart: 'hip', positive: 'OSTEOPOROSIS' }),
  binary('osteoarthritis', {
    name: 'Osteoarthritis',
    bodyPart: 'knee',
    positive: 'OSTEOARTHRITIS',
  }),
  binary('limb-abnormality', { name: 'Limb abnormality', bodyPart: 'limb', positive: 'FRACTURE' }),
  {
    id: 'skin-lesion',
    name: 'Skin lesion',
    bodyPart: 'skin',
    kind: 'single-label',
    classes: SKIN_CLASSES.map((label) => ({ label, positive: MALIGNANT.has(label) })),
    channels: 3,
  },
]

const BONE_ARTEFACTS: readonly Artefact[] = ['marker', 'ruler', 'collimation']
const CHEST_ARTEFACTS: readonly Artefact[] = ['marker', 'tube', 'leads', 'collimation']

const RECIPES: Readonly<Record<string, Recipe>> = {
  pneumonia: {
    anatomy: { of: 'radiograph', draw: drawPneumonia },
    pose: { mirrored: 0.05, angle: 0.05, zoom: [0.92, 1.2], shift: 0.06 },
    artefacts: CHEST_ARTEFACTS,
  },
  cardiomegaly: {
    anatomy: { of: 'radiograph', draw: drawCardiomegaly },
    pose: { mirrored: 0.05, angle: 0.08, zoom: [0.75, 1.25], shift: 0.12 },
    artefacts: CHEST_ARTEFACTS,
  },
  osteoporosis: {
    anatomy: { of: 'radiograph', draw: drawHip },
    pose: { mirrored: 0.5, angle: 0.1, zoom: [0.9, 1.25], shift: 0.08 },
    artefacts: BONE_ARTEFACTS,
  },
  osteoarthritis: {
    anatomy: { of: 'radiograph', draw: drawKnee },
    pose: { mirrored: 0.5, angle: 0.11, zoom: [0.95, 1.4], shift: 0.1 },
    artefacts: BONE_ARTEFACTS,
  },
  'limb-abnormality': {
    anatomy: { of: 'radiograph', draw: drawLimb },
    pose: { mirrored: 0.5, angle: 0.3, zoom: [0.95, 1.35], shift: 0.08 },
    artefacts: BONE_ARTEFACTS,
  },
  'skin-lesion': {
    anatomy: { of: 'photograph', draw: drawSkin },
    pose: { mirrored: 0.5, angle: 3, zoom: [0.9, 1.2], shift: 0.05 },
    artefacts: [],
  },
}

export function findSynthCondition(id: string): SynthCondition | undefined {
  return SYNTH_CONDITIONS.find((condition) => condition.id === id)
}

/** @throws AppError `unknown-condition` */
export function getSynthCondition(id: string): SynthCondition {
  const condition = findSynthCondition(id)
  if (condition) return condition
  const known = SYNTH_CONDITIONS.map((one) => one.id).join(', ')
  throw new AppError(
    'unknown-condition',
    `There is no synthetic generator for "${id.slice(0, 64)}"; there is one for ${known}.`,
  )
}

export function recipeOf(condition: SynthCondition): Recipe {
  return RECIPES[condition.id] as Recipe
}
