"""The base runs of the paper: ViT, GenViT and HybViT on each dataset (§5, Appendix B; docs/deviations.md)."""

from harness.config.augmentation import Augmentation
from harness.config.methods import Classification, Denoising, Hybrid
from harness.config.networks import ViT
from harness.config.processes import GaussianProcess
from harness.config.run import Run, RunConfig
from harness.config.training import Training
from harness.data.catalogue import CELEBA128, CELEBAHQ128, CIFAR10, CIFAR100, IMAGENET32, STL10, TINY_IMAGENET

BACKBONE = ViT(dim=384, depth=9, heads=12, patch_size=4)
PROCESS = GaussianProcess(timesteps=1000, noise_schedule="cosine", loss="l1")
STRONG = Augmentation(flip=True, crop_padding=4, policy="cifar10", erasing=0.25, mix=0.5)
WEAK = Augmentation(flip=True, crop_padding=4)
SCHEDULE = Training(epochs=500, precision="bf16")
"""The authors train in fp32, as does `--scale paper-fp32` (docs/deviations.md)."""

VIT = Run(
    "vit",
    RunConfig(
        data=CIFAR10,
        network=BACKBONE,
        method=Classification(augmentation=STRONG, label_smoothing=0.1),
        training=SCHEDULE,
    ),
)
VIT_WEAK = VIT.but(augmentation=WEAK).called("vit weak")
GENVIT = Run(
    "genvit",
    RunConfig(data=CIFAR10, network=BACKBONE, method=Denoising(alpha=100, process=PROCESS), training=SCHEDULE),
)
HYBVIT = Run(
    "hybvit",
    RunConfig(
        data=CIFAR10,
        network=BACKBONE,
        method=Hybrid(alpha=100, process=PROCESS, augmentation=STRONG, label_smoothing=0.1),
        training=SCHEDULE,
    ),
)
HYBVIT_WEAK = HYBVIT.but(augmentation=WEAK).called("hybvit weak")

VIT_CIFAR100 = VIT.but(data=CIFAR100).called("vit cifar100")
GENVIT_CIFAR100 = GENVIT.but(data=CIFAR100).called("genvit cifar100")
HYBVIT_CIFAR100 = HYBVIT.but(data=CIFAR100).called("hybvit cifar100")

VIT_TINY = VIT.but(data=TINY_IMAGENET, patch_size=8, policy="imagenet").called("vit tiny")
GENVIT_TINY = GENVIT.but(data=TINY_IMAGENET, patch_size=8).called("genvit tiny")
HYBVIT_TINY = HYBVIT.but(data=TINY_IMAGENET, patch_size=8, policy="imagenet").called("hybvit tiny")

VIT_STL10 = VIT.but(data=STL10, patch_size=8, policy="imagenet").called("vit stl10")
GENVIT_STL10 = GENVIT.but(data=STL10, patch_size=8).called("genvit stl10")
HYBVIT_STL10 = HYBVIT.but(data=STL10, patch_size=8, policy="imagenet").called("hybvit stl10")
"""The 500-epoch runs of Table 7; Table 2's, with 2500 epochs, follow."""

VIT_STL10_LONG = VIT_STL10.but(epochs=2500)
GENVIT_STL10_LONG = GENVIT_STL10.but(epochs=2500)
HYBVIT_STL10_LONG = HYBVIT_STL10.but(epochs=2500)

VIT_IMAGENET32 = VIT.but(data=IMAGENET32, policy="imagenet", epochs=100).called("vit imagenet32")
GENVIT_IMAGENET32 = GENVIT.but(data=IMAGENET32, epochs=100).called("genvit imagenet32")
HYBVIT_IMAGENET32 = HYBVIT.but(data=IMAGENET32, policy="imagenet", epochs=100).called("hybvit imagenet32")

GENVIT_CELEBAHQ = GENVIT.but(data=CELEBAHQ128, patch_size=8).called("genvit celebahq")
GENVIT_CELEBA = GENVIT_CELEBAHQ.but(data=CELEBA128).called("genvit celeba")
