# Makes the small Keras files of test/formats/keras/fixtures again, with what Keras itself gives for one image each.
# Needs: pip install tensorflow-cpu keras (made with tensorflow 2.21, which also holds Keras 2, and keras 3.15).
# Run: python scripts/keras-fixtures.py test/formats/keras/fixtures
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy
import tensorflow
from keras import layers
from tensorflow.python import keras as keras2
from tensorflow.python.keras import layers as layers2
from tensorflow.python.keras import models as models2

# TensorFlow keeps the code of Keras 2 without its version number, which goes into every file that it writes.
keras2.__version__ = "2.6.0"
folder = sys.argv[1]
expected = {}


def image(shape):
    """The same numbers as in the test: 0 to 255, from the place in the row-major image."""
    count = int(numpy.prod(shape))
    return (numpy.arange(count) * 7919 % 256).astype("float32").reshape((1, *shape))


def settle(model, seed):
    """Weights that leave nothing at its default: also biases and moving statistics."""
    random = numpy.random.default_rng(seed)
    weights = []
    for value in model.get_weights():
        drawn = random.normal(0, 0.3, value.shape)
        weights.append((numpy.abs(drawn) + 0.5 if value.ndim == 1 else drawn).astype(value.dtype))
    model.set_weights(weights)


def record(name, model, shape):
    output = numpy.asarray(model(tensorflow.constant(image(shape)), training=False))
    expected[name] = {"shape": list(shape), "output": [float(v) for v in output[0].ravel()]}


# A Sequential model of Keras 3.
model = keras.Sequential(
    [
        layers.Input((12, 12, 3)),
        layers.RandomFlip(),
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Conv2D(4, 3, strides=2, padding="same", activation="silu"),
        layers.BatchNormalization(),
        layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, use_bias=False),
        layers.LeakyReLU(negative_slope=0.1),
        layers.SeparableConv2D(5, 3, activation="hard_silu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.4),
        layers.Dense(6, activation="gelu"),
        layers.LayerNormalization(),
        layers.Dense(3, activation="softmax"),
    ],
    name="plain",
)
settle(model, 1)
model.compile("adam", "categorical_crossentropy")
record("sequential.keras", model, (12, 12, 3))
model.save(os.path.join(folder, "sequential.keras"))

# A functional model of Keras 3 with a skip connection, squeeze and excitation, nested models and a model called twice.
entry = keras.Input((10, 10, 1), name="film")
x = layers.Normalization(mean=[120.0], variance=[3000.0])(entry)
x = layers.ZeroPadding2D(((0, 1), (1, 0)))(x)
x = layers.Conv2D(4, 3, padding="valid", name="stem")(x)
x = layers.ReLU(max_value=6)(x)
inner_in = keras.Input((9, 9, 4))
inner_out = layers.Add()([layers.Conv2D(4, 1, activation="relu6")(inner_in), inner_in])
inner = keras.Model(inner_in, inner_out, name="inner")
x = inner(x)
twice = keras.Sequential([layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()], name="twice")
y = twice(twice(x))
x = layers.Add()([x, y])
scale = layers.GlobalAveragePooling2D(keepdims=True)(x)
scale = layers.Conv2D(4, 1, activation="hard_sigmoid")(scale)
x = layers.Multiply()([x, scale])
mean = layers.GlobalAveragePooling2D()(x)
most = layers.GlobalMaxPooling2D()(x)
x = layers.Concatenate()([mean, layers.Subtract()([most, mean])])
model = keras.Model(entry, layers.Dense(1, activation="sigmoid", name="score")(x), name="skip")
settle(model, 2)
for name in ("functional.keras", "functional-keras3.h5"):
    record(name, model, (10, 10, 1))
    model.save(os.path.join(folder, name))

# Layout and dialect of Keras 2: fixed-length names, ":0", no InputLayer in the Sequential, a frozen nested model.
base = models2.Sequential(
    [
        layers2.Conv2D(3, 3, strides=2, input_shape=(11, 11, 1), activation="swish", name="first"),
        layers2.DepthwiseConv2D(3, activation="relu", name="each"),
    ],
    name="base",
)
base.trainable = False
entry = layers2.Input((11, 11, 1), name="film")
x = base(entry)
x = layers2.Add()([x, layers2.Conv2D(3, 1, activation="hard_sigmoid")(x)])
x = layers2.GlobalAveragePooling2D()(x)
model = models2.Model(entry, layers2.Dense(2, activation="softmax")(x), name="older")
settle(model, 3)
record("keras2.h5", model, (11, 11, 1))
model.save(os.path.join(folder, "keras2.h5"), save_format="h5")

# What must be refused.
entry = keras.Input((4, 4, 1))
coded = keras.Model(entry, layers.Flatten()(layers.Lambda(lambda v: v * 2)(entry)))
coded.save(os.path.join(folder, "lambda.keras"))
entry = keras.Input((4, 4, 1))
x = layers.Flatten()(layers.Discretization(bin_boundaries=[0.5])(entry))
keras.Model(entry, layers.Dense(1)(x)).save(os.path.join(folder, "unknown-layer.keras"))

with open(os.path.join(folder, "expected.json"), "w") as file:
    json.dump(expected, file, indent=2)
    file.write("\n")
