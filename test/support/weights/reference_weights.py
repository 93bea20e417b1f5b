"""Weight files as the real libraries write them, with seeded random weights, and what the library answers with them.

    python reference_weights.py OUT keras:densenet121 torch:resnet50 ...

For each name it leaves in OUT: the file or files of weights, <name>.input.bin (float32, NHWC, as the network sees it),
<name>.output.bin (float32: probabilities of Keras, logits of PyTorch, or features) and one line of JSON on standard output.
"""
import json
import os
import sys
import types

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SEED = 20261120
SIDES = {"efficientnet_b3": 300}


def save(out, name, **arrays):
    for key, array in arrays.items():
        np.ascontiguousarray(array, dtype="<f4").tofile(os.path.join(out, f"{name}.{key}.bin"))


def image(architecture, pixels, channels=3):
    side = SIDES.get(architecture, 224)
    draw = np.random.default_rng(SEED)
    if pixels:
        return draw.uniform(0, 255, (1, side, side, channels)).astype("float32")
    return draw.standard_normal((1, side, side, channels)).astype("float32")


def statistics(draw, shape, kind):
    """Of batch normalisation: unlike the neutral ones that a new network has, and far from nothing."""
    if kind in ("gamma", "variance"):
        return draw.uniform(0.7, 1.4, shape).astype("float32")
    return draw.uniform(-0.2, 0.2, shape).astype("float32")


def keras_model(out, architecture):
    import keras

    makers = {
        "densenet121": keras.applications.DenseNet121,
        "resnet50": keras.applications.ResNet50,
        "vgg16": keras.applications.VGG16,
        "efficientnet_b0": keras.applications.EfficientNetB0,
        "efficientnet_b3": keras.applications.EfficientNetB3,
        "mobilenet_v2_100": keras.applications.MobileNetV2,
    }
    for top in (True, False):
        keras.utils.set_random_seed(SEED)
        keras.backend.clear_session()
        # Of a known size: without one Keras pads as if every side were even.
        side = SIDES.get(architecture, 224)
        shape = (side, side, 3)
        model = makers[architecture](weights=None, include_top=top, input_shape=shape)
        draw = np.random.default_rng(SEED)
        for layer in model.layers:
            kinds = [weight.name for weight in layer.weights]
            if isinstance(layer, keras.layers.BatchNormalization):
                ways = ["gamma", "beta", "mean", "variance"]
                layer.set_weights(
                    [statistics(draw, w.shape, way) for w, way in zip(layer.get_weights(), ways)]
                )
            elif isinstance(layer, keras.layers.Normalization):
                layer.set_weights(
                    [np.array([0.4, 0.5, 0.6]), np.array([0.2, 0.25, 0.3]), np.int64(1)]
                )
                # Keras computes with a copy, made when weights are loaded.
                layer.finalize_state()
            elif "bias" in kinds:
                kernel, bias = layer.get_weights()
                wide = 20 if layer.name == "predictions" else 1
                layer.set_weights([kernel * wide, statistics(draw, bias.shape, "beta")])
        name = f"keras-{architecture}" + ("" if top else "-notop")
        x = image(architecture, pixels=architecture.startswith("efficientnet"))
        path = os.path.join(out, f"{name}.h5")
        legacy_weights(model, path)
        files = [path]
        if not top:
            new = os.path.join(out, f"{name}.weights.h5")
            model.save_weights(new)
            files.append(new)
        save(out, name, input=x, output=model(x, training=False).numpy())
        report(name, architecture, files, top, x)


def legacy_weights(model, path):
    """Layout of the published files: layer_names and weight_names as fixed-length bytes, names with :0."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4"
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0".encode() for weight in layer.weights]
            group.attrs["weight_names"] = names
            for key, value in zip(names, layer.get_weights()):
                group.create_dataset(key.decode(), data=value)


def torch_models():
    """torchvision whose compiled operators do not fit the installed torch: its networks need none of them."""
    try:
        import torchvision
    except Exception:
        for module in [m for m in sys.modules if m.startswith("torchvision")]:
            del sys.modules[module]
        sys.modules["torchvision._meta_registrations"] = types.ModuleType("stand-in")
        import torchvision
    return torchvision.models


def torch_model(out, architecture):
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(SEED)
    models = torch_models()
    xrv = architecture == "xrv"
    channels = 1 if xrv else 3
    if xrv:
        # torchxrayvision's DenseNet: torchvision's with one channel, 18 outputs, and its operating points beside them.
        model = models.densenet121(weights=None, num_classes=18)
        model.features.conv0 = torch.nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        thresholds = torch.linspace(0.05, 0.4, 18)
        thresholds[3] = float("nan")
        model.register_buffer("op_threshs", thresholds)
    else:
        model = getattr(models, architecture)(weights=None)
    draw = np.random.default_rng(SEED)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                for tensor, kind in (
                    (module.weight, "gamma"),
                    (module.bias, "beta"),
                    (module.running_mean, "mean"),
                    (module.running_var, "variance"),
                ):
                    tensor.copy_(torch.from_numpy(statistics(draw, tuple(tensor.shape), kind)))
            elif isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)) and module.bias is not None:
                module.bias.copy_(
                    torch.from_numpy(statistics(draw, tuple(module.bias.shape), "beta"))
                )
        if architecture == "vit_b_16":
            # Zero in a new network, so that a wrong mapping would not be seen.
            model.heads.head.weight.normal_(0, 0.05)
            model.class_token.normal_(0, 0.5)
            for block in model.encoder.layers:
                block.self_attention.in_proj_bias.uniform_(-0.2, 0.2)
    model.eval()
    x = image("densenet121" if xrv else architecture, pixels=False, channels=channels)
    if xrv:
        x = np.clip(x * 400, -1024, 1024).astype("float32")
    pixels = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        # Random weights may answer in hundreds: brought to what trained ones say.
        largest = model(pixels).abs().max().item()
        if largest > 10:
            head = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
            head.weight.mul_(10 / largest)
            head.bias.mul_(10 / largest)
        y = model(pixels).numpy()
    name = f"torch-{architecture}"
    files = [os.path.join(out, f"{name}.pth"), os.path.join(out, f"{name}.safetensors")]
    torch.save(model.state_dict(), files[0])
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, files[1])
    save(out, name, input=x, output=y)
    report(name, "densenet121" if xrv else architecture, files, True, x)


def report(name, architecture, files, top, x):
    line = {"name": name, "architecture": architecture, "files": files, "top": top}
    print(json.dumps({**line, "shape": list(x.shape)}), flush=True)


if __name__ == "__main__":
    folder, *wanted = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for one in wanted:
        library, architecture = one.split(":")
        (keras_model if library == "keras" else torch_model)(folder, architecture)
