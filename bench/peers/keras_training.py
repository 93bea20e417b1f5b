"""A training step in Keras (train_on_batch, compiled). Arguments: network (densenet121, plain_cnn, custom_cnn; ":20"), size, batch, threads."""
import sys

from answering import answer
from keras_import import keras, tf, use_threads

layers = keras.layers


def conv(x, filters, kernel=3, stride=1):
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def depthwise(x, stride):
    x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def plain_cnn(image):
    x = image
    for filters in (32, 64, 128, 256):
        x = layers.MaxPooling2D()(conv(x, filters))
    return layers.GlobalAveragePooling2D()(x)


def custom_cnn(image):
    x = conv(image, 24, stride=2)
    for filters, stride in ((32, 2), (48, 1), (96, 2), (96, 1), (192, 2), (192, 1)):
        x = conv(depthwise(x, stride), filters, 1)
    for filters, stride in ((256, 2), (256, 1), (416, 1)):
        x = conv(x, filters, stride=stride)
    return layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))


def build(what, size):
    name, _, last = what.partition(":")
    image = keras.Input((size, size, 3))
    if name == "densenet121":
        base = keras.applications.DenseNet121(weights=None, include_top=False, input_shape=(size, size, 3))
        if last:
            for layer in base.layers[: -int(last)]:
                layer.trainable = False
        pooled = layers.GlobalAveragePooling2D()(base.output)
        image = base.input
    else:
        pooled = {"plain_cnn": plain_cnn, "custom_cnn": custom_cnn}[name](image)
    model = keras.Model(image, layers.Dense(2, activation="softmax")(pooled))
    model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
    return model


def main():
    what, size, batch, threads = sys.argv[1], *map(int, sys.argv[2:5])
    use_threads(threads)
    model = build(what, size)
    x = tf.random.uniform((batch, size, size, 3))
    y = tf.range(batch) % 2
    answer(f"Keras {keras.__version__}, TensorFlow {tf.__version__}", {"step": lambda: model.train_on_batch(x, y)})


main()
