"""Small runs of every energy-based method, on the digits with a convolutional network."""

from harness.config.augmentation import Augmentation
from harness.config.energy_methods import IGEBM, JEM, VERA, JEMPlusPlus
from harness.config.networks import JEMWideResNet, ResNetGenerator
from harness.config.optimisation import SGD, Adam, StepDecay
from harness.config.run import RunConfig
from harness.config.training import Training
from harness.data.catalogue import DIGITS

SHIFTED = Augmentation(crop_padding=1)
PLAIN, NORMED = (JEMWideResNet(depth=10, widen_factor=1, norm=norm) for norm in ("none", "batch"))
TRAINING = Training(
    epochs=2, batch_size=60, passes_per_epoch=1, clip_norm=None, ema_decay=None,
    optimizer=Adam(learning_rate=1e-3), schedule=StepDecay(warmup_iterations=5),
)  # fmt: skip
ADVERSARIES = {
    "posterior": Adam(learning_rate=1e-3, betas=(0.0, 0.9)),
    "generator": Adam(learning_rate=2e-3, betas=(0.0, 0.9)),
}
ENERGY_RUNS = {
    "jem": RunConfig(
        data=DIGITS, network=PLAIN, training=TRAINING,
        method=JEM(augmentation=SHIFTED, buffer_size=100, langevin_steps=3, sampling_steps=3),
    ),
    "jem++": RunConfig(
        data=DIGITS, network=NORMED, training=TRAINING.but(optimizer=SGD(learning_rate=0.02)),
        method=JEMPlusPlus(augmentation=SHIFTED, buffer_size=100, outer_steps=2, inner_steps=3, sampling_steps=2),
    ),
    "igebm": RunConfig(
        data=DIGITS, network=PLAIN, training=TRAINING,
        method=IGEBM(buffer_size=100, langevin_steps=3, sampling_steps=3),
    ),
    "vera": RunConfig(
        data=DIGITS, network=PLAIN.but(dropout=0.3), training=TRAINING.but(player_optimizers=ADVERSARIES),
        method=VERA(generator=ResNetGenerator(features=8, noise_dim=6, doublings=2), importance_samples=5),
    ),
}  # fmt: skip
