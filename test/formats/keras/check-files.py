# What real Keras and onnxruntime make of the files of one model: prints, as JSON, the largest difference of each from
# `expected.bin` for the image in `input.bin`. Called by real-keras.test.ts.
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy
import onnx
import onnxruntime

folder, side, channels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
image = numpy.fromfile(f"{folder}/input.bin", "<f4").reshape((1, side, side, channels))
expected = numpy.fromfile(f"{folder}/expected.bin", "<f4")
found = {}


def record(name, output):
    found[name] = float(numpy.abs(numpy.asarray(output).ravel() - expected).max())


archive = keras.saving.load_model(f"{folder}/model.keras")
record("keras", archive(image, training=False))
legacy = keras.saving.load_model(f"{folder}/model.h5", compile=False)
record("h5", legacy(image, training=False))
bare = keras.models.model_from_json(archive.to_json())
bare.load_weights(f"{folder}/model.weights.h5")
record("weights.h5", bare(image, training=False))
onnx.checker.check_model(f"{folder}/model.onnx", full_check=True)
session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
record("onnx", session.run(["logits"], {"input": image})[0])
found["classes"] = sorted({type(layer).__module__.split(".")[0] for layer in archive.layers})
print(json.dumps(found))
