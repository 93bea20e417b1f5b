"""A training step in PyTorch. Arguments: network (densenet121, plain_cnn, custom_cnn; ":20" for the last layers), size, batch, threads."""
import sys

from answering import answer
from pytorch_import import models, torch

nn = torch.nn


def block(*layers):
    return nn.Sequential(*layers)


def conv(inputs, filters, kernel=3, stride=1, groups=1):
    return block(
        nn.Conv2d(inputs, filters, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01),
        nn.ReLU(inplace=True),
    )


def plain_cnn():
    layers, inputs = [], 3
    for filters in (32, 64, 128, 256):
        layers += [conv(inputs, filters), nn.MaxPool2d(2)]
        inputs = filters
    return block(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 2))


def custom_cnn():
    layers, inputs = [conv(3, 24, stride=2)], 24
    for filters, stride in ((32, 2), (48, 1), (96, 2), (96, 1), (192, 2), (192, 1)):
        layers += [conv(inputs, inputs, stride=stride, groups=inputs), conv(inputs, filters, 1)]
        inputs = filters
    for filters, stride in ((256, 2), (256, 1), (416, 1)):
        layers.append(conv(inputs, filters, stride=stride))
        inputs = filters
    return block(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(inputs, 2))


def densenet121(trains_last):
    network = models.densenet121(num_classes=2)
    if trains_last:
        # Keras' last 20 layers: relu, bn and the last three dense layers but for their first normalisation.
        for parameter in network.parameters():
            parameter.requires_grad = False
        kept = [network.features.norm5, network.classifier]
        kept += [getattr(network.features.denseblock4, f"denselayer{i}") for i in (14, 15, 16)]
        for module in kept:
            for parameter in module.parameters():
                parameter.requires_grad = True
        network.train()
        for module in network.modules():
            frozen = not any(p.requires_grad for p in module.parameters(recurse=False))
            if isinstance(module, nn.BatchNorm2d) and frozen:
                module.eval()
    return network


def main():
    what, size, batch, threads = sys.argv[1], *map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    name, _, last = what.partition(":")
    network = {"plain_cnn": plain_cnn, "custom_cnn": custom_cnn}.get(name, lambda: densenet121(last))()
    if not last:
        network.train()
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, 1e-4, eps=1e-7)
    x = torch.rand(batch, 3, size, size)
    y = torch.arange(batch) % 2

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    answer(f"PyTorch {torch.__version__}", {"step": step})


main()
