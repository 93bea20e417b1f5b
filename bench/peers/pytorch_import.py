"""`torch` and torchvision's `models`, or a word that they are absent."""
import sys

from answering import absent

try:
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        # A torchvision built for another torch lacks its detection operators, which none of these networks uses.
        for module in [one for one in sys.modules if one.startswith("torchvision")]:
            del sys.modules[module]
        detection = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            detection.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision import models  # noqa: F401
except (ImportError, RuntimeError) as error:
    absent(error)
