// Conv2D with groups, which TF.js refuses: channels are split into groups, and each filter looks at one of them (ConvNeXt, RegNet).
import * as tf from '@tensorflow/tfjs'
import { onlyTensor } from '../layer-calls.ts'

interface GroupedConfig {
  readonly name?: string
  readonly groups: number
  readonly filters: number
  readonly kernelSize: number | readonly number[]
  readonly strides?: number | readonly number[]
  readonly dilationRate?: number | readonly number[]
  readonly padding?: string
  readonly useBias?: boolean
  readonly activation?: string
  readonly kernelInitializer?: tf.serialization.ConfigDict
}

type LayerArgs = ConstructorParameters<typeof tf.layers.Layer>[0]
type Pair = [number, number]
type Activated = { readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null }

function pair(value: number | readonly number[] | undefined): Pair {
  const [first = 1, second = first] = [value ?? 1].flat()
  return [first, second]
}

/** Weights as Keras has them: kernel [h, w, channels / groups, filters], bias. */
class GroupedConv2D extends tf.layers.Layer {
  static className = 'GroupedConv2D'
  readonly #config: GroupedConfig
  readonly #activation: Activated['activation']
  #kernel: { read(): tf.Tensor } | undefined
  #bias: { read(): tf.Tensor } | undefined

  constructor(args: GroupedConfig) {
    super(args as unknown as LayerArgs)
    this.#config = args
    const activation = (args.activation ?? 'linear') as 'relu'
    this.#activation = (tf.layers.activation({ activation }) as unknown as Activated).activation
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const { groups, filters, kernelSize, useBias = true, kernelInitializer } = this.#config
    const channels = (inputShape as tf.Shape).at(-1) ?? 0
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new Error(`${channels} channels and ${filters} filters cannot be in ${groups} groups`)
    }
    const initializer = tf.layers.dense({
      units: 1,
      kernelInitializer: (kernelInitializer ?? 'zeros') as 'zeros',
    }) as unknown as { kernelInitializer: ReturnType<typeof tf.initializers.zeros> }
    const shape = [...pair(kernelSize), channels / groups, filters]
    const made = initializer.kernelInitializer
    this.#kernel = this.addWeight('kernel', shape, 'float32', made)
    if (useBias) this.#bias = this.addWeight('bias', [filters], 'float32', made)
    super.build(inputShape)
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch = null, height = null, width = null] = inputShape as tf.Shape
    const { kernelSize, strides, dilationRate, padding = 'valid', filters } = this.#config
    const length = (n: number | null, axis: 0 | 1): number | null => {
      if (n === null) return null
      const reach = (pair(kernelSize)[axis] - 1) * pair(dilationRate)[axis]
      return Math.ceil((padding === 'same' ? n : n - reach) / pair(strides)[axis])
    }
    return [batch, length(height, 0), length(width, 1), filters]
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs) as tf.Tensor4D
      const kernel = this.#kernel?.read() as tf.Tensor4D
      const convolved = this.#convolve(x, kernel)
      const biased = this.#bias ? tf.add(convolved, this.#bias.read()) : convolved
      return this.#activation ? this.#activation.apply(biased) : biased
    })
  }

  #convolve(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor {
    const { groups, filters, strides, dilationRate, padding = 'valid' } = this.#config
    const channels = x.shape[3]
    const pad = padding as 'same' | 'valid'
    const how = [pair(strides), pad, 'NHWC', pair(dilationRate)] as const
    if (groups === channels) {
      const [height, width] = kernel.shape
      // Filters of one group stand side by side, as the multiplier of a depthwise kernel does.
      const depthwise = tf.reshape(kernel, [height, width, channels, filters / channels])
      return tf.depthwiseConv2d(x, depthwise as tf.Tensor4D, ...how)
    }
    const parts = tf.split(x, groups, 3)
    const kernels = tf.split(kernel, groups, 3)
    return tf.concat(
      parts.map((part, i) => tf.conv2d(part as tf.Tensor4D, kernels[i] as tf.Tensor4D, ...how)),
      3,
    )
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { name: _, kernelInitializer: __, ...own } = this.#config
    return { ...super.getConfig(), ...own } as tf.serialization.ConfigDict
  }
}
tf.serialization.registerClass(
  GroupedConv2D as unknown as tf.serialization.SerializableConstructor<GroupedConv2D>,
)
