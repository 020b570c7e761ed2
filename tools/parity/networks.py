"""The network: passes with and without a timestep, and gradients, with the same weights."""

import re
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from harness.config.dataset import Dataset
from harness.config.networks import ViT
from harness.data.catalogue import CIFAR10, STL10
from harness.models.vit import VisionTransformer
from tools.parity.official import Checkout
from tools.parity.table import Row, compare, precision

CASES = {
    "CIFAR-10, d=384, depth 9, 12 heads": (CIFAR10, ViT(dim=384, depth=9, heads=12, patch_size=4)),
    "the same, no modulation before the MLP": (
        CIFAR10,
        ViT(dim=384, depth=9, heads=12, patch_size=4, modulate_mlp=False),
    ),
    "CIFAR-10, 16 heads": (CIFAR10, ViT(dim=384, depth=9, heads=16, patch_size=4)),
    "CIFAR-10, 6 heads of 32, depth 2": (CIFAR10, ViT(dim=384, depth=2, heads=6, patch_size=4, dim_head=32)),
    "STL-10, patches of 8, 6 heads": (STL10, ViT(dim=384, depth=9, heads=6, patch_size=8)),
}
NAMES = (
    ("patch_embedding", "to_patch_embedding.1"),
    ("position_embedding", "pos_embedding"),
    (r"timestep_embedding\.mlp\.0", "time_mlp.1"),
    (r"timestep_embedding\.mlp\.2", "time_mlp.3"),
    (r"blocks\.(\d+)\.modulation\.projection", r"transformer.time_layers.\1.1"),
    (r"blocks\.(\d+)\.norm_attention", r"transformer.layers.\1.0.norm"),
    (r"blocks\.(\d+)\.attention\.qkv", r"transformer.layers.\1.0.fn.to_qkv"),
    (r"blocks\.(\d+)\.attention\.projection", r"transformer.layers.\1.0.fn.to_out.0"),
    (r"blocks\.(\d+)\.norm_mlp", r"transformer.layers.\1.1.norm"),
    (r"blocks\.(\d+)\.mlp\.0", r"transformer.layers.\1.1.fn.net.0"),
    (r"blocks\.(\d+)\.mlp\.2", r"transformer.layers.\1.1.fn.net.3"),
    ("class_norm", "mlp_head.0"),
    ("class_head", "mlp_head.1"),
    ("noise_head", "recon_head.0"),
)
"""Regular expressions from our parameter names to the authors'."""
FORWARD = {"float32": 1e-5, "float64": 1e-12}
WITH_TIMESTEP = {"float32": 1e-3, "float64": 1e-11}
"""In float32, a last-digit error of a frequency times 999 is an error in the fourth digit of the embedding."""
GRADIENT = {"float32": 1e-3, "float64": 1e-9}


def official_name(name: str) -> str:
    """Return the authors' name of one of our parameters."""
    for pattern, replacement in NAMES:
        renamed, count = re.subn(f"^{pattern}", replacement, name)
        if count:
            return renamed
    return name


def official_state(ours: VisionTransformer) -> dict[str, Tensor]:
    """Return our weights under the authors' names."""
    return {official_name(name): weights.detach().clone() for name, weights in ours.named_parameters()}


def official_twin(checkout: Checkout, ours: VisionTransformer, config: ViT, data: Dataset) -> Any:
    """Return the authors' network with our weights."""
    theirs = checkout.module("models/DifViT.py").ViT(
        img_size=data.image_size, patch_size=config.patch_size, num_classes=data.num_classes, dim=config.dim,
        depth=config.depth, heads=config.heads, dim_head=config.inner_dim // config.heads,
        mlp_dim_ratio=config.mlp_ratio, channels=data.channels, ffn_time=config.modulate_mlp,
    )  # fmt: skip
    theirs.load_state_dict(official_state(ours))
    return theirs


def pair(checkout: Checkout, config: ViT, data: Dataset) -> tuple[VisionTransformer, Any]:
    """Return our network and the authors' with the same fresh weights."""
    ours = VisionTransformer(config, data)
    ours.initialise(torch.Generator().manual_seed(0))
    return ours, official_twin(checkout, ours, config, data)


def passes(checkout: Checkout) -> Iterator[Row]:
    """Compare logits, predicted noise, and the gradients of a random function of both."""
    for case, (data, config) in CASES.items():
        for name in FORWARD:
            with precision(name):
                generator = torch.Generator().manual_seed(1)
                ours, theirs = pair(checkout, config, data)
                images = torch.randn(2, 3, data.image_size, data.image_size, generator=generator)
                timesteps = torch.tensor([7, 999])
                logits = ours.logits(images), theirs(images)
                noise = ours.predict_noise(images, timesteps), theirs(images, timesteps, recon=True)
                yield compare(f"logits: {case}", name, *logits, FORWARD[name])
                yield compare(f"noise: {case}", name, *noise, WITH_TIMESTEP[name])
                weigh = [torch.randn(part.shape, generator=generator) for part in (logits[0], noise[0])]
                for a, b in zip(logits, noise, strict=True):
                    ((a * weigh[0]).sum() + (b * weigh[1]).sum()).backward()
                gradients = dict(theirs.named_parameters())
                found = [(p.grad, gradients[official_name(key)].grad) for key, p in ours.named_parameters()]
                yield compare(f"gradients: {case}", name, *map(list, zip(*found, strict=True)), GRADIENT[name])


def built_by_their_command_line(checkout: Checkout) -> Iterator[Row]:
    """Compare with the network that the authors' `create_model` builds from their command-line defaults.

    Their `--ffnt` is an integer; whether 1 modulates before the MLP depends on how the network tests it.
    """
    arguments = Namespace(
        model="difvit", dim=192, ps=4, heads=None, depth=None, dataset="cifar10", SPT=False, LSA=False, ffnt=1, sd=0.1
    )
    theirs = checkout.module("models/create_model.py").create_model(32, 10, arguments)
    ours = VisionTransformer(ViT(dim=192, depth=9, heads=12, patch_size=4), CIFAR10)
    ours.initialise(torch.Generator().manual_seed(0))
    theirs.load_state_dict(official_state(ours))
    images, timesteps = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)), torch.tensor([7, 999])
    with torch.no_grad():
        found = ours.predict_noise(images, timesteps), theirs(images, timesteps, recon=True)
    yield compare("noise: their create_model with --ffnt 1", "float32", *found, WITH_TIMESTEP["float32"])
