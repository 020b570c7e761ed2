"""The runs of the paper."""

from harness.config.augmentation import Augmentation
from harness.config.methods import Classification, Denoising
from harness.config.networks import ViT
from harness.config.processes import GaussianProcess
from harness.config.run import Run, RunConfig
from harness.config.training import BestOn, Training
from harness.data.catalogue import DIGITS
from outside_paper.augmentation import Contrast, Jitter
from outside_paper.data import PROGRESSION, TUMOURS, WALKS
from outside_paper.diffusion import Huber, RectifiedFlow, SigmoidNoise
from outside_paper.methods import Mixup, NextToken, Regression
from outside_paper.networks import MLP, TokenGRU
from outside_paper.optimisation import Lion, WarmupStableDecay

TRAINING = Training(
    epochs=100,
    batch_size=32,
    passes_per_epoch=1,
    optimizer=Lion(learning_rate=3e-4),
    schedule=WarmupStableDecay(),
    ema_decay=None,
)
TABLES = RunConfig(data=TUMOURS, network=MLP(width=64, dropout=0), method=Mixup(alpha=0), training=TRAINING)
PLAIN = Run("plain", TABLES)
MIXED = Run("mixed", TABLES.but(alpha=0.4))

REGRESSED = RunConfig(data=PROGRESSION, network=MLP(width=64, dropout=0.2), method=Regression(), training=TRAINING)
LAST = Run("last", REGRESSED)
BEST = Run("best", REGRESSED.but(select=BestOn(split="validation")))

TOKENS = Run("tokens", RunConfig(data=WALKS, network=TokenGRU(width=64), method=NextToken(), training=TRAINING))

CLASSIFIED = Run(
    "classified",
    RunConfig(
        data=DIGITS,
        network=MLP(width=64),
        method=Classification(augmentation=Augmentation(policy=Contrast(), steps=(Jitter(sd=0.2),))),
        training=TRAINING.but(epochs=50),
    ),
)
GAUSSIAN = RunConfig(
    data=DIGITS,
    network=ViT(dim=64, depth=2, heads=2, patch_size=4),
    method=Denoising(process=GaussianProcess(timesteps=100, noise_schedule=SigmoidNoise(), loss=Huber(delta=0.5))),
    training=TRAINING.but(epochs=50, optimizer=Lion(learning_rate=1e-3)),
)
DENOISED = Run("gaussian", GAUSSIAN)
FLOWING = Run("flow", GAUSSIAN.but(process=RectifiedFlow(steps=100)))
