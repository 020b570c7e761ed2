"""The convolutional baselines: our networks and their authors' with the same weights."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from harness.config import networks as spec
from harness.data.catalogue import CIFAR10
from harness.models.batch_norm import BatchNorm
from harness.models.generators import ResNetGenerator
from harness.models.unet import Layer, SelfAttention, UNet
from harness.models.wide_resnet import JEMWideResNet, WideResNet
from tools.parity.official import Checkout
from tools.parity.table import Row, compare, precision

FORWARD = {"float32": 1e-4, "float64": 1e-11}
GRADIENT = {"float32": 1e-2, "float64": 1e-9}
"""At the kink of a ReLU, a rounding error changes the whole derivative."""
TIMESTEPS = torch.tensor([7, 999])
Pair = tuple[nn.Module, Sequence[nn.Module]]


def wide_resnet(checkout: Checkout) -> Iterator[Row]:
    """Compare the original Wide ResNet, 28-10 and 16-8, in training and in evaluation."""
    for depth, factor in ((28, 10), (16, 8)):
        for name in FORWARD:
            with precision(name):
                theirs = checkout.module("wideresnet.py").WideResNet(depth, 10, factor)
                ours = WideResNet(spec.WideResNet(depth=depth, widen_factor=factor), CIFAR10)
                pairs = [(a, [b]) for a, b in zip(leaves(ours), leaves(theirs), strict=True)]
                yield from compared(f"WRN-{depth}-{factor}", name, pairs, ours, ours.logits, theirs, theirs, images())


def energy_network(checkout: Checkout) -> Iterator[Row]:
    """Compare the Wide ResNet of JEM or VERA, both without normalisation; VERA's code omits the first norm layer."""
    vera = (checkout.root / "models" / "wideresnet.py").is_file()
    module = checkout.module("models/wideresnet.py" if vera else "wideresnet.py")
    for name in FORWARD:
        with precision(name):
            theirs = module.Wide_ResNet(28, 10, num_classes=10)
            ours = JEMWideResNet(spec.JEMWideResNet(), CIFAR10)
            pairs = [(a, [b]) for a, b in zip(leaves(ours), leaves(theirs), strict=True)]

            def logits(x: Tensor, theirs: nn.Module = theirs) -> Tensor:
                made = theirs(x)
                return made if made.shape[1] == 10 else theirs.linear(made)

            what = f"WRN-28-10 of {'VERA' if vera else 'JEM'}"
            yield from compared(what, name, pairs, ours, ours.logits, theirs, logits, images())


def split_network(checkout: Checkout) -> Iterator[Row]:
    """Compare the Wide ResNet of JEM++, with BatchNorm of short memory."""
    module = checkout.module("models/jem_models.py")
    for name in FORWARD:
        with precision(name):
            theirs = module.CCF(28, 10, "batch", n_classes=10, model="yopo")
            del theirs.energy_output
            ours = JEMWideResNet(spec.JEMWideResNet(norm="batch"), CIFAR10)
            pairs = [(a, [b]) for a, b in zip(leaves(ours), leaves(theirs), strict=True)]
            yield from compared("WRN-28-10 of JEM++", name, pairs, ours, ours.logits, theirs, theirs.classify, images())


def generator(checkout: Checkout) -> Iterator[Row]:
    """Compare VERA's generator with 256 features, in training and in evaluation."""
    for name in FORWARD:
        with precision(name):
            theirs = checkout.module("models/resnet.py").ResNetGenerator(False, feats=256)
            ours = ResNetGenerator(spec.ResNetGenerator(features=256), CIFAR10)
            pairs = [(a, [b]) for a, b in zip(leaves(ours), leaves(theirs), strict=True)]
            noise = torch.randn(4, 128, generator=torch.Generator().manual_seed(1))
            yield from compared("generator of VERA", name, pairs, ours, ours.generate, theirs, theirs, noise)


def denoiser(checkout: Checkout) -> Iterator[Row]:
    """Compare DDPM's U-Net on CIFAR-10 with its PyTorch port.

    The port embeds timesteps in float32 only; in float64 it gets our embedding.
    """
    module = checkout.module("pytorch_diffusion/model.py")
    embed = module.get_timestep_embedding
    for name in FORWARD:
        with precision(name):
            theirs = module.Model(
                ch=128, out_ch=3, ch_mult=(1, 2, 2, 2), num_res_blocks=2, attn_resolutions=(16,), in_channels=3,
                resolution=32,
            )  # fmt: skip
            ours = UNet(spec.UNet(dropout=0.0), CIFAR10)

            def embedded(timesteps: Tensor, dim: int, ours: UNet = ours) -> Tensor:
                return ours.sinusoid(timesteps)

            module.get_timestep_embedding = embed if name == "float32" else embedded

            def predicted(x: Tensor, ours: UNet = ours) -> Tensor:
                return ours.predict_noise(x, TIMESTEPS)

            def official(x: Tensor, theirs: nn.Module = theirs) -> Tensor:
                return theirs(x, TIMESTEPS)

            yield from compared(
                "U-Net of DDPM", name, paired(ours, theirs), ours, predicted, theirs, official, images()
            )


def compared(
    what: str,
    name: str,
    pairs: list[Pair],
    ours: nn.Module,
    our_pass: Callable[[Tensor], Tensor],
    theirs: nn.Module,
    their_pass: Callable[[Tensor], Tensor],
    inputs: Tensor,
) -> Iterator[Row]:
    """Compare outputs and all weight gradients in training mode, then outputs in evaluation mode after that batch."""
    give_weights(pairs)
    count = sum(parameter.numel() for parameter in ours.parameters())
    yield compare(f"{what}: parameters", "exact", [count], [sum(p.numel() for p in theirs.parameters())], 0)
    found, expected = our_pass(inputs), their_pass(inputs)
    yield compare(f"{what}: training", name, found, expected, FORWARD[name])
    weigh = torch.randn(found.shape, generator=torch.Generator().manual_seed(2))
    for each in (found, expected):
        (each * weigh).sum().backward()
    gradients = [
        (getattr(own, kind).grad.flatten(), torch.cat([getattr(part, kind).grad.flatten() for part in parts]))
        for own, parts in pairs
        for kind in ("weight", "bias")
        if getattr(own, kind, None) is not None
    ]
    yield compare(f"{what}: gradients", name, *map(list, zip(*gradients, strict=True)), GRADIENT[name])
    ours.eval(), theirs.eval()
    with torch.no_grad():
        yield compare(f"{what}: evaluation", name, our_pass(inputs), their_pass(inputs), FORWARD[name])


def give_weights(pairs: list[Pair]) -> None:
    """Set the same random weights on both sides of every pair, scaled to keep activations stable."""
    draws = torch.Generator().manual_seed(0)
    for own, parts in pairs:
        for kind in ("weight", "bias"):
            if getattr(own, kind, None) is None:
                continue
            scale = isinstance(own, BatchNorm | nn.GroupNorm) and kind == "weight"
            weight = getattr(own, kind).detach()
            spread = 0.1 if weight.ndim == 1 else weight[0].numel() ** -0.5
            weight.copy_(float(scale) + spread * torch.randn(weight.shape, generator=draws))
            for part, own_part in zip(parts, weight.chunk(len(parts)), strict=True):
                target = getattr(part, kind).detach()
                target.copy_(own_part.reshape(target.shape))


def leaves(network: nn.Module) -> list[nn.Module]:
    """Return the modules with their own weights, in definition order."""
    return [module for module in network.modules() if list(module.parameters(recurse=False))]


def paired(ours: UNet, theirs: nn.Module) -> list[Pair]:
    """Pair the layers of both U-Nets; theirs lists the residual blocks of a level before its attention."""

    def of(layers: list[Layer]) -> list[nn.Module]:
        attention = [layer.attention for layer in layers if isinstance(layer.attention, SelfAttention)]
        return [part for each in [*(layer.residual for layer in layers), *attention] for part in leaves(each)]

    own = [*leaves(ours.embedding), ours.stem]
    for level in ours.down:
        own += [*of(list(level.layers)), *(leaves(level.halving) if level.halving else [])]
    own += [*of([ours.middle1]), *of([ours.middle2])]
    for level in ours.up:
        own += [*of(list(level.layers)), *(leaves(level.doubling) if level.doubling else [])]
    fused = {id(module.qkv) for module in ours.modules() if isinstance(module, SelfAttention)}
    other = iter(leaves(theirs))
    return [
        (module, [next(other) for _ in range(3 if id(module) in fused else 1)])
        for module in [*own, ours.norm, ours.noise_head]
    ]


def images() -> Tensor:
    """Return two random images of CIFAR-10's size."""
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
