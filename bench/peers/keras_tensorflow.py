"""Keras on TensorFlow with keras.applications and random weights. Arguments: architecture, size, threads."""
import sys

from answering import absent, answer
from keras_import import keras, tf, use_threads

APPLICATIONS = {
    "densenet121": ("DenseNet121", "relu", {}),
    "resnet50": ("ResNet50", "conv5_block3_out", {}),
    "efficientnet_b0": ("EfficientNetB0", "top_activation", {}),
    "efficientnet_b3": ("EfficientNetB3", "top_activation", {}),
    "mobilenet_v2_035": ("MobileNetV2", "out_relu", {"alpha": 0.35}),
    "mobilenet_v2_100": ("MobileNetV2", "out_relu", {}),
    "vgg16": ("VGG16", "block5_conv3", {}),
}


def main():
    name, size, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if name not in APPLICATIONS:
        absent(KeyError(f"keras.applications has no {name}"))
    use_threads(threads)
    application, layer, options = APPLICATIONS[name]
    build = getattr(keras.applications, application)
    base = build(weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3), **options)
    logits = keras.layers.Dense(2)(base.output)
    model = keras.Model(base.input, logits)
    both = keras.Model(base.input, [model.get_layer(layer).output, logits])
    x = tf.random.uniform((1, size, size, 3))
    compiled = tf.function(lambda image: model(image, training=False))

    @tf.function
    def explain(image):
        with tf.GradientTape() as tape:
            features, scores = both(image, training=False)
            score = scores[0, 1]
        weights = tf.reduce_mean(tape.gradient(score, features), (1, 2), keepdims=True)
        return tf.nn.relu(tf.reduce_sum(features * weights, -1))

    image = x.numpy()
    answer(
        f"Keras {keras.__version__}, TensorFlow {tf.__version__}",
        {
            "predict": lambda: compiled(x).numpy(),
            "model.predict": lambda: model.predict(image, verbose=0),
            "gradcam": lambda: explain(x).numpy(),
        },
    )


main()
