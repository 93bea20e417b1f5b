// What Keras calls an activation, and what TF.js or engine/layers calls it.

/** Keras' name: TF.js' name. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  linear: 'linear',
  relu: 'relu',
  relu6: 'relu6',
  elu: 'elu',
  selu: 'selu',
  sigmoid: 'sigmoid',
  softplus: 'softplus',
  softsign: 'softsign',
  softmax: 'softmax',
  log_softmax: 'log_softmax',
  tanh: 'tanh',
  gelu: 'gelu',
  mish: 'mish',
  silu: 'swish',
  swish: 'swish',
  exponential: 'exponential',
  leaky_relu: 'leaky_relu',
  hard_silu: 'hard_silu',
  hard_swish: 'hard_silu',
}

/** @param major Keras' version: one of them means something else since 3. Undefined for one that is not read here */
export function activationName(name: string, major: number): string | undefined {
  if (name === 'hard_sigmoid') return major >= 3 ? 'hard_sigmoid3' : 'hard_sigmoid'
  return Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
}
