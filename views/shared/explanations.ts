// What the explanation methods are called. The compiler asks for a name where src/inference/explain has a method more.
import type { ExplainMethod } from '../../src/inference/explain/explain.ts'

const NAMES: Readonly<Record<ExplainMethod, { readonly name: string; readonly choice?: string }>> =
  {
    gradcam: { name: 'Grad-CAM' },
    'gradcam++': { name: 'Grad-CAM++' },
    hirescam: { name: 'HiResCAM' },
    occlusion: { name: 'Occlusion', choice: 'Occlusion (slower, works with every model)' },
    none: { name: 'No heatmap' },
  }

/** For a form; the first is the default. */
export const EXPLANATION_CHOICES = Object.entries(NAMES).map(([value, { name, choice }]) => {
  return { value, text: choice ?? name }
})

/** A method of an older result that is there no more keeps its id. */
export function methodName(method: string): string {
  return NAMES[method as ExplainMethod]?.name ?? method
}
