"""The energy-based baselines of the paper's tables and figures: JEM, JEM++ and VERA.

Settings follow their papers and code, except: the batch size is 128, to match Table 8's 390 iterations per epoch, where
their code uses 64 (JEM, JEM++) and 40 (VERA); no images are held out; and crops pad with black instead of reflecting.
"""

from harness.config import energy_methods as methods
from harness.config.networks import ResNetGenerator
from harness.config.optimisation import SGD, Adam, Constant, StepDecay
from harness_papers.hybvit.baselines import STANDARD, WRN_WITHOUT_NORM
from harness_papers.hybvit.runs import WEAK

JEM = WRN_WITHOUT_NORM.but(
    method=methods.JEM(augmentation=WEAK, langevin_steps=20, step_size=1.0, noise=0.01, buffer_size=10_000),
    precision="fp32",
).called("jem")
JEM_PLUS_PLUS = JEM.but(
    norm="batch",
    method=methods.JEMPlusPlus(augmentation=WEAK, outer_steps=10, inner_steps=5, step_size=0.2, buffer_size=10_000),
    training=STANDARD.but(
        epochs=150,
        optimizer=SGD(learning_rate=0.1, weight_decay=4e-4),
        schedule=StepDecay(milestones=(50, 100, 125), decay=0.2, warmup_iterations=1000),
        precision="fp32",
    ),
).called("jem++ m=10")
JEM_PLUS_PLUS_20 = JEM_PLUS_PLUS.but(outer_steps=20).called("jem++ m=20")
VERA = JEM.but(
    dropout=0.3,
    method=methods.VERA(augmentation=WEAK, generator=ResNetGenerator(features=256, noise_dim=128)),
    training=STANDARD.but(
        optimizer=Adam(learning_rate=3e-5, betas=(0.0, 0.9)),
        player_optimizers={
            "generator": Adam(learning_rate=6e-5, betas=(0.0, 0.9)),
            "posterior": Adam(learning_rate=3e-5),
        },
        schedule=StepDecay(milestones=(150, 175), decay=0.3, warmup_iterations=2500, warmup_start=1),
        player_schedules={"posterior": Constant()},
        precision="fp32",
    ),
).called("vera")
