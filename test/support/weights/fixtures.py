"""Makes the small files of test/conversion/pretrained/fixtures: what real PyTorch, safetensors and Keras write for a few numbers,
and hostile pickles that must never be run.

    python fixtures.py OUT
"""
import io
import os
import pickle
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import torch
from safetensors.torch import save_file

out = sys.argv[1]
os.makedirs(out, exist_ok=True)


def path(name):
    return os.path.join(out, name)


state = {
    "conv.weight": torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2) / 8,
    "half": torch.tensor([1.5, -0.25, 65504.0, 6e-8], dtype=torch.float16),
    "brain": torch.tensor([1.5, -2.0, 3e38], dtype=torch.bfloat16),
    "double": torch.tensor([1 / 3, -1e-300], dtype=torch.float64),
    "count": torch.tensor(7, dtype=torch.int64),
    "flags": torch.tensor([True, False]),
    "transposed": torch.arange(6, dtype=torch.float32).reshape(2, 3).t(),
    "row": torch.arange(12, dtype=torch.float32).reshape(3, 4)[1],
}
torch.save(state, path("state.pth"))
torch.save({"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1, "betas": (0.9, 0.999)}}, path("checkpoint.pth"))
torch.save(torch.nn.Linear(2, 2).state_dict(), path("module.pth"))
torch.save(state, path("legacy.pth"), _use_new_zipfile_serialization=False)
save_file({key: value.contiguous() for key, value in state.items()}, path("state.safetensors"))
torch.save(torch.nn.Linear(2, 2), path("whole-model.pth"))
script = io.BytesIO()
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), script)
with zipfile.ZipFile(script) as whole, zipfile.ZipFile(path("torchscript.pth"), "w") as kept:
    # Without where on this machine the code came from.
    for part in whole.namelist():
        if "code/" not in part and "debug" not in part:
            kept.writestr(zipfile.ZipInfo(part, (2026, 1, 1, 0, 0, 0)), whole.read(part))


class Call:
    """Pickled, it calls a function as soon as anybody unpickles it."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def archive(name, pickled, parts=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path(name), "w", compression) as file:
        for part, content in (("data.pkl", pickled), ("byteorder", b"little"), ("version", b"3\n"), *parts):
            info = zipfile.ZipInfo(f"archive/{part}", (2026, 1, 1, 0, 0, 0))
            info.compress_type = compression
            file.writestr(info, content)


archive("hostile-system.pth", pickle.dumps({"w": Call(os.system, "touch roentgen-was-here")}, 2))
archive("hostile-eval.pth", pickle.dumps({"w": Call(eval, "1 + 1")}, 4))


class Storage:
    pass


class Pickler(pickle._Pickler):
    """References to storages as torch writes them, with numbers that torch would not write."""

    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None


def tensor_pickle(numel, offset, size, stride, key="0"):
    storage = Storage()
    storage.id = ("storage", torch.FloatStorage, key, "cpu", numel)
    buffer = io.BytesIO()
    pickler = Pickler(buffer, 2)
    tensor = Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, {})
    pickler.dump({"w": tensor})
    return buffer.getvalue()


four = np.arange(4, dtype="<f4").tobytes()
archive("beyond-storage.pth", tensor_pickle(4, 2, (4,), (1,)), [("data/0", four)])
archive("storage-too-long.pth", tensor_pickle(400, 0, (400,), (1,)), [("data/0", four)])
archive("repeated.pth", tensor_pickle(4, 0, (100000, 1000), (0, 0)), [("data/0", four)])
archive("no-storage.pth", tensor_pickle(4, 0, (4,), (1,), key="../1"), [("data/0", four)])
archive("truncated.pth", tensor_pickle(4, 0, (4,), (1,))[:-20], [("data/0", four)])
archive(
    "bomb.pth",
    tensor_pickle(1_000_000, 0, (1_000_000,), (1,)),
    [("data/0", bytes(4_000_000))],
    zipfile.ZIP_DEFLATED,
)

import keras

keras.utils.set_random_seed(1)
tiny = keras.Sequential(
    [
        keras.layers.Input((4, 4, 1), name="image"),
        keras.layers.Conv2D(2, 3, name="conv"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(3, name="logits"),
    ]
)
for layer in tiny.layers:
    layer.set_weights([np.arange(w.size, dtype="float32").reshape(w.shape) + 1 for w in layer.get_weights()])
tiny.save_weights(path("tiny.weights.h5"))
tiny.save(path("tiny-model.h5"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reference_weights import legacy_weights

legacy_weights(tiny, path("tiny.h5"))
