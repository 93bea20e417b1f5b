"""PyTorch with torchvision's networks and random weights. Arguments: architecture, size, threads."""
import sys
from importlib import metadata

from answering import absent, answer
from pytorch_import import models, torch

NETWORKS = {
    "densenet121": lambda m: (m.densenet121(num_classes=2), lambda n: n.features),
    "resnet50": lambda m: (m.resnet50(num_classes=2), lambda n: n.layer4),
    "efficientnet_b0": lambda m: (m.efficientnet_b0(num_classes=2), lambda n: n.features),
    "efficientnet_b3": lambda m: (m.efficientnet_b3(num_classes=2), lambda n: n.features),
    "mobilenet_v2_035": lambda m: (m.mobilenet_v2(num_classes=2, width_mult=0.35), lambda n: n.features),
    "mobilenet_v2_100": lambda m: (m.mobilenet_v2(num_classes=2), lambda n: n.features),
    "vgg16": lambda m: (pooled_vgg16(m), lambda n: n[0][28]),
    "vit_b_16": lambda m: (m.vit_b_16(num_classes=2), lambda n: n.encoder.layers[11].ln_1),
}


def pooled_vgg16(models):
    """With the head that is used here: global average pooling and one linear layer."""
    nn = torch.nn
    return nn.Sequential(models.vgg16().features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 2))


def main():
    name, size, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if name not in NETWORKS:
        absent(KeyError(f"torchvision has no {name}"))
    torch.set_num_threads(threads)
    network, layer_of = NETWORKS[name](models)
    network.eval()
    x = torch.rand(1, 3, size, size)
    if len(sys.argv) > 4:
        try:
            names = {"input_names": ["input"], "output_names": ["logits"]}
            torch.onnx.export(network, (x,), sys.argv[4], dynamo=False, **names)
        except Exception as error:  # without the exporter's own dependencies there is simply no file to compare with
            print(f"no export: {error}", file=sys.stderr)

    def predict():
        with torch.inference_mode():
            return network(x).tolist()

    def gradcam():
        kept = []
        hook = layer_of(network).register_forward_hook(lambda _m, _i, out: kept.append(out) or out.retain_grad())
        network(x.clone().requires_grad_())[0, 1].backward()
        hook.remove()
        features, gradients = kept[0], kept[0].grad
        spatial = tuple(range(2, features.dim())) if features.dim() == 4 else (1,)
        return (features * gradients.mean(spatial, keepdim=True)).sum(1).relu().tolist()

    version = f"PyTorch {torch.__version__}, torchvision {metadata.version('torchvision')}"
    answer(version, {"predict": predict, "gradcam": gradcam})


main()
