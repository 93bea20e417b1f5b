"""Trains a TF.js layers model in Keras on pixels that Roentgen prepared, and says for each test image whether it was right.
Arguments: folder of the initial model, prepared dataset, trained layers (number or all), epochs, batch, learning rate, seed,
batch norm (frozen or trained)."""
import json
import sys

import numpy as np
from answering import say
from keras_import import keras, use_threads

HEAD = {"GlobalAveragePooling2D", "Flatten", "Dropout", "Dense"}
RENAMED = {"kernel_size", "strides", "padding", "use_bias", "filters", "units", "rate", "epsilon", "momentum", "max_value", "activation"}


def build(folder):
    """The layers of model.json, one by one, and its weights by name."""
    with open(f"{folder}/model.json") as file:
        document = json.load(file)
    topology = document["modelTopology"]
    config = topology.get("model_config", topology)["config"]
    values = weights(document["weightsManifest"], folder)
    made, outputs = {}, {}
    for layer in config["layers"]:
        name, kind, given = layer["name"], layer["class_name"], layer["config"]
        if kind == "InputLayer":
            outputs[name] = keras.Input(given["batch_input_shape"][1:], name=name)
            continue
        options = {key: given[key] for key in RENAMED if key in given}
        if kind == "ZeroPadding2D":
            options = {"padding": given["padding"]}
        made[name] = getattr(keras.layers, kind)(name=name, **options)
        before = [outputs[node[0]] for node in layer["inbound_nodes"][0]]
        outputs[name] = made[name](before[0] if len(before) == 1 else before)
    ends = [config["input_layers"][0][0], config["output_layers"][0][0]]
    model = keras.Model(*[outputs[name] for name in ends])
    for layer in model.layers:
        layer.set_weights([named(values, layer, one.name) for one in layer.weights])
    return model


def named(values, layer, weight):
    """Depthwise filters are called `kernel` since Keras 3."""
    own = f"{layer.name}/{weight}"
    return values[own] if own in values else values[f"{layer.name}/depthwise_{weight}"]


def weights(manifest, folder):
    found = {}
    for group in manifest:
        data = b"".join(open(f"{folder}/{path}", "rb").read() for path in group["paths"])
        at = 0
        for one in group["weights"]:
            size = int(np.prod(one["shape"]))
            found[one["name"]] = np.frombuffer(data, np.float32, size, at).reshape(one["shape"])
            at += size * 4
    return found


def freeze(model, last):
    """As Roentgen counts: the head and the last layers before it are trained."""
    if last == "all":
        return
    kinds = [type(layer).__name__ for layer in model.layers]
    end = max(i for i, kind in enumerate(kinds) if kind not in HEAD)
    backbone = [layer for layer in model.layers[: end + 1] if type(layer).__name__ != "InputLayer"]
    for layer in backbone[: max(0, len(backbone) - int(last))]:
        layer.trainable = False


def images(folder):
    with open(f"{folder}/index.json") as file:
        index = json.load(file)
    storage = index["storage"]
    kind = np.float32 if storage["type"] == "float32" else np.float16
    rows = np.fromfile(f"{folder}/{storage['file']}", kind).reshape(index["rows"], *storage["shape"])
    parts = {}
    for part in ("train", "validation", "test"):
        chosen = [image for image in index["images"] if image["split"] == part]
        x = rows[[image["row"] for image in chosen]].astype(np.float32)
        parts[part] = (x, np.array([image["classes"][0] for image in chosen]), [image["file"] for image in chosen])
    return parts


def main():
    folder, prepared, last = sys.argv[1:4]
    epochs, batch, rate, seed = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]), int(sys.argv[7])
    use_threads(2)
    keras.utils.set_random_seed(seed)
    model = build(folder)
    freeze(model, last)
    if sys.argv[8] == "frozen":
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
    parts = images(prepared)
    x, y, _ = parts["train"]
    counts = np.bincount(y)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    best = keras.callbacks.EarlyStopping("val_loss", patience=epochs, restore_best_weights=True)
    balance = {label: len(y) / (len(counts) * count) for label, count in enumerate(counts)}
    model.fit(x, y, batch, epochs, verbose=0, validation_data=parts["validation"][:2], callbacks=[best], class_weight=balance)
    x, y, files = parts["test"]
    right = model.predict(x, batch, verbose=0).argmax(1) == y
    say(**{name: int(one) for name, one in zip(files, right)})


main()
