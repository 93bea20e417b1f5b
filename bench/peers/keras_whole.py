"""A whole training in Keras from folders of images. Arguments: architecture, folder, trained layers, epochs, batch, size, threads, augment (0/1)."""
import sys

from answering import say
from keras_import import keras, tf, use_threads

APPLICATIONS = {"densenet121": "DenseNet121", "resnet50": "ResNet50", "mobilenet_v2_100": "MobileNetV2", "vgg16": "VGG16"}


def main():
    name, folder = sys.argv[1:3]
    last, epochs, batch, size, threads, augments = map(int, sys.argv[3:9])
    use_threads(threads)
    keras.utils.set_random_seed(42)

    def images(part, shuffle):
        return keras.utils.image_dataset_from_directory(
            f"{folder}/{part}", image_size=(size, size), batch_size=batch, shuffle=shuffle, seed=42, verbose=False
        ).cache()

    base = getattr(keras.applications, APPLICATIONS[name])(
        weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3)
    )
    for layer in base.layers[:-last]:
        layer.trainable = False
    scale = keras.layers.Rescaling(1 / 127.5, offset=-1)
    changes = keras.Sequential(
        [
            keras.layers.RandomRotation(7 / 360, fill_mode="nearest"),
            keras.layers.RandomTranslation(0.05, 0.05, fill_mode="nearest"),
            keras.layers.RandomZoom(0.08, fill_mode="nearest"),
            keras.layers.RandomContrast(0.12),
        ]
    )
    train = images("train", True)
    train = train.map(lambda x, y: (scale(changes(x, training=True) if augments else x), y)).prefetch(2)
    val, test = (images(part, False).map(lambda x, y: (scale(x), y)).prefetch(2) for part in ("val", "test"))
    model = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(1e-4), "binary_crossentropy", metrics=["accuracy"])
    model.fit(train, validation_data=val, epochs=epochs, verbose=0)
    _, accuracy = model.evaluate(test, verbose=0)
    say(accuracy=accuracy)


main()
