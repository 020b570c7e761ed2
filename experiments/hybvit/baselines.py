"""The convolutional baselines of the paper: Wide ResNets, and DDPM's U-Net.

The paper's code does not contain their settings. Wide ResNets use the standard settings of their code: SGD with
Nesterov momentum, learning rate 0.1, divided by 5 after 60, 120 and 160 of 200 epochs, weight decay 5e-4, flips and
crops with padding 4. DDPM uses the settings of its code. Differences: Wide ResNets have no EMA and no label smoothing,
as usual, and images in [-1, 1], as for all models; DDPM's 800,000 iterations are rounded to whole epochs, and sampling
uses the small variance, where DDPM's code uses the large one.
"""

from harness.config.augmentation import Augmentation
from harness.config.methods import Classification, Denoising
from harness.config.networks import JEMWideResNet, UNet, WideResNet
from harness.config.optimisation import SGD, Adam, StepDecay
from harness.config.processes import GaussianProcess
from harness.config.run import Run, RunConfig
from harness.config.training import Training
from harness.data.catalogue import CIFAR10, CIFAR100, IMAGENET32, STL10

STANDARD = Training(
    epochs=200,
    passes_per_epoch=1,
    optimizer=SGD(learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
    schedule=StepDecay(milestones=(60, 120, 160), decay=0.2),
    clip_norm=None,
    ema_decay=None,
    precision="bf16",
)

WRN = Run(
    "wrn-28-10",
    RunConfig(
        data=CIFAR10,
        network=WideResNet(depth=28, widen_factor=10),
        method=Classification(augmentation=Augmentation(flip=True, crop_padding=4)),
        training=STANDARD,
    ),
)
WRN_CIFAR100 = WRN.but(data=CIFAR100).called("wrn-28-10 cifar100")
WRN_IMAGENET32 = WRN.but(data=IMAGENET32, epochs=100, milestones=(30, 60, 80)).called("wrn-28-10 imagenet32")
WRN_STL10 = WRN.but(data=STL10, depth=16, widen_factor=8).called("wrn-16-8 stl10")
WRN_WITHOUT_NORM = WRN.but(
    network=JEMWideResNet(depth=28, widen_factor=10),
    optimizer=Adam(learning_rate=1e-4),
    schedule=StepDecay(milestones=(160, 180), decay=0.3, warmup_iterations=1000),
).called("wrn-28-10 without norm")
"""JEM's network and optimiser with the classification loss only: SGD at 0.1 needs normalisation layers."""

DDPM = Run(
    "ddpm",
    RunConfig(
        data=CIFAR10,
        network=UNet(),
        method=Denoising(
            process=GaussianProcess(timesteps=1000, noise_schedule="linear", loss="l2"),
            augmentation=Augmentation(flip=True),
        ),
        training=Training(
            epochs=2051,
            passes_per_epoch=1,
            optimizer=Adam(learning_rate=2e-4),
            schedule=StepDecay(warmup_iterations=5000),
            clip_norm=1.0,
            ema_decay=0.9999,
            precision="bf16",
        ),
    ),
)
