"""The base runs of the paper: CIFAR-10 with ViT, GenViT and HybViT (§5, Appendix B; docs/deviations.md)."""

from harness.data.catalogue import CIFAR10
from harness.spec.methods import Augmentation, Classification, Denoising, GaussianProcess, Hybrid
from harness.spec.networks import ViT
from harness.spec.run import Run, RunConfig
from harness.spec.training import Training

BACKBONE = ViT(dim=384, depth=9, heads=12, patch_size=4)
PROCESS = GaussianProcess(timesteps=1000, noise_schedule="cosine", loss="l1")
STRONG = Augmentation(flip=True, crop_padding=4, policy="cifar10", erasing=0.25, mix=0.5)
WEAK = Augmentation(flip=True, crop_padding=4)
SCHEDULE = Training(epochs=500)

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
