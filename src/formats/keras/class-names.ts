// Keras' names of the groups that hold the weights of a layer: made from its class.

/** Keras' own rule: Conv2D is conv2d, ReLU is re_lu, GlobalAveragePooling2D is global_average_pooling2d. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}
