"""Random weights in the format of the Inception network's."""

from collections import OrderedDict
from functools import cache
from math import sqrt
from unittest.mock import patch

import torch
from torch import nn

from harness.torchvision_shim import make_torchvision_importable

make_torchvision_importable()
from torch_fidelity import feature_extractor_inceptionv3 as library  # noqa: E402

LAYERS = ["2048", "logits_unbiased"]


@cache
def random_state(seed=0):
    """The state dict of torch-fidelity's own network, scaled so that features of different images differ."""
    with (
        patch.object(library, "load_state_dict_from_url", lambda *_, **__: {}),
        patch.object(library.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None),
    ):
        network = library.FeatureExtractorInceptionV3("random", LAYERS)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            spread = torch.randn(module.weight.shape, generator=generator)
            module.weight.copy_(spread * sqrt(2 / module.weight[0].numel()))
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    images = torch.randint(0, 256, (8, 3, 4, 4), dtype=torch.uint8, generator=generator)
    with torch.no_grad():
        network.train()(images)
    network.fc.weight.div_(4)
    return OrderedDict(network.state_dict())


def write_weights(path, seed=0, **options):
    """Write random weights to a file and return its path."""
    torch.save(random_state(seed), path, **options)
    return path
