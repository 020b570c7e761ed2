"""Defaults of kinds as documented and published, and the bounds of their fields."""

import dataclasses
import pkgutil
from importlib import import_module

import pytest

import harness.config
from harness.config.augmentation import Augmentation, NoPolicy
from harness.config.base import Config
from harness.config.dataset import ArrayField, Arrays, Images
from harness.config.energy_methods import IGEBM, JEM, VERA, JEMPlusPlus
from harness.config.evaluations import (
    Accuracy,
    Calibration,
    Generation,
    Likelihood,
    LogDensity,
    OutOfDistribution,
    Robustness,
    Runtime,
    Size,
)
from harness.config.execution import Execution
from harness.config.feature_spaces import InceptionSpace
from harness.config.methods import Classification, Denoising, Hybrid
from harness.config.networks import JEMWideResNet, ResNetGenerator, UNet, ViT, WideResNet
from harness.config.optimisation import SGD, Adam, AdamW, Cosine, StepDecay
from harness.config.processes import AbsoluteError, CosineNoise, GaussianProcess
from harness.config.run import RunConfig
from harness.config.samplers import DDIM, Ancestral, DPMSolver
from harness.config.training import Average, BestOn, Training
from harness.errors import SpecError

ADAM = {"betas": (0.9, 0.999), "eps": 1e-8}
ENERGY = {"augmentation": Augmentation(), "input_noise": 0.03, "divergence_bound": 1e8, "restarts": 3}
REPLAYED = ENERGY | {"buffer_size": 10_000, "reinitialised": 0.05}
WIDE = {"depth": 28, "widen_factor": 10}
DEFAULTS = {
    ArrayField: {"shape": (), "dtype": "float32", "below": None},
    Images: {"levels": 256, "further_splits": {}},
    Arrays: {"num_classes": 0, "input": "", "target": ""},
    Augmentation: {"flip": False, "crop_padding": 0, "policy": NoPolicy(), "erasing": 0, "mix": 0, "steps": ()},
    Execution: {"loader": "auto", "compile": "auto", "tensorboard": False},
    AdamW: ADAM | {"learning_rate": 1e-3, "weight_decay": 0.05},
    Adam: ADAM | {"weight_decay": 0},
    SGD: {"momentum": 0.9, "nesterov": False, "weight_decay": 0},
    Cosine: {"min_learning_rate": 1e-6, "warmup_epochs": 10},
    StepDecay: {"milestones": (), "decay": 1, "warmup_iterations": 0, "warmup_start": 0},
    Average: {"every": 1},
    BestOn: {"split": "validation"},
    Training: {
        "batch_size": 128, "passes_per_epoch": 3, "optimizer": AdamW(), "player_optimizers": {}, "schedule": Cosine(),
        "player_schedules": {}, "clip_norm": 1, "ema_decay": 0.999, "player_averages": {}, "select": None,
        "precision": "fp32",
    },
    GaussianProcess: {"timesteps": 1000, "noise_schedule": CosineNoise(), "loss": AbsoluteError()},
    Ancestral: {},
    DDIM: {"steps": 50, "eta": 0},
    DPMSolver: {"steps": 20},
    Classification: {"augmentation": Augmentation(), "label_smoothing": 0},
    Denoising: {"process": GaussianProcess(), "alpha": 1, "augmentation": None},
    Hybrid: {"process": GaussianProcess(), "augmentation": Augmentation(), "label_smoothing": 0},
    JEM: REPLAYED | {"sampling_steps": 20, "langevin_steps": 20, "step_size": 1, "noise": 0.01, "density_weight": 1},
    JEMPlusPlus: REPLAYED | {
        "sampling_steps": 10, "outer_steps": 10, "inner_steps": 5, "step_size": 0.2, "gradient_bound": 1,
        "density_weight": 1,
    },
    IGEBM: REPLAYED | {
        "sampling_steps": 60, "langevin_steps": 60, "step_size": 40, "gradient_bound": 0.005, "noise": 0.01,
        "energy_penalty": 1,
    },
    VERA: ENERGY | {
        "generator": ResNetGenerator(features=256, noise_dim=128, doublings=3), "class_weight": 100,
        "gradient_penalty": 0.1, "entropy_weight": 1e-4, "importance_samples": 20, "posterior_sigma": 0.1,
        "smallest_sigma": 0.01, "largest_sigma": 0.3, "input_noise": 0,
    },
    ViT: {"dim_head": None, "mlp_ratio": 2, "modulate_residual": True, "modulate_mlp": True},
    UNet: {
        "base_channels": 128, "multipliers": (1, 2, 2, 2), "blocks": 2, "attention": (16,), "dropout": 0.1,
        "groups": 32,
    },
    ResNetGenerator: {"features": 256, "noise_dim": 128, "doublings": 3},
    WideResNet: WIDE,
    JEMWideResNet: WIDE | {"norm": "none", "leak": 0.2, "dropout": 0},
    Accuracy: {"after": 1, "split": "test"},
    Calibration: {"after": 1, "split": "test", "bins": 20},
    OutOfDistribution: {"after": 1, "score": LogDensity(), "outliers": None},
    Generation: {
        "after": 1, "samples": 10_000, "sampler": Ancestral(), "features": InceptionSpace(), "weights": None,
        "reference": "train", "score_splits": 10, "neighbours": 5,
    },
    Likelihood: {"after": 1, "split": "test"},
    Robustness: {"after": 1, "steps": 50, "step_size": None, "restarts": 1, "images": 1000},
    Runtime: {"after": 1, "warmup_steps": 20, "timed_steps": 10, "windows": 12},
    Size: {"after": 1},
    RunConfig: {"semantics": 2, "seed": 0},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "expected"), DEFAULTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_each_kind_has_its_documented_defaults(kind, expected):
    fields = {name: field for name, field in kind.model_fields.items() if not field.is_required() and name != "kind"}
    assert {name: field.get_default(call_default_factory=True) for name, field in fields.items()} == expected


TINY = {"image_size": 8, "channels": 1, "num_classes": 2, "train_examples": 1, "test_examples": 1, "name": "tiny"}
ATTACK = {"norm": "l2", "epsilons": (1,)}
SHARE, BELOW_ONE, ABOVE_ZERO = ([0, 0.5, 1], [-0.01, 1.01]), ([0, 0.99], [-0.01, 1]), ([1e-9, 7], [0, -1])
AT_LEAST_ZERO, AT_LEAST_ONE = ([0, 7], [-1]), ([1, 7], [0, -1, 1.5])


@pytest.mark.parametrize(
    ("kind", "others", "field", "bounds"),
    [
        (ArrayField, {}, "shape", ([(0, 3)], [(-1,)])),
        (ArrayField, {}, "below", AT_LEAST_ONE),
        (Images, TINY, "image_size", AT_LEAST_ONE),
        (Images, TINY, "channels", AT_LEAST_ONE),
        (Images, TINY, "num_classes", AT_LEAST_ZERO),
        (Images, TINY, "train_examples", AT_LEAST_ZERO),
        (Images, TINY, "test_examples", AT_LEAST_ONE),
        (Images, TINY, "levels", ([2, 256], [1, 257])),
        (Images, TINY, "further_splits", ([{"a": 1}], [{"a": 0}])),
        (Augmentation, {}, "erasing", SHARE),
        (Augmentation, {}, "mix", SHARE),
        (Augmentation, {}, "crop_padding", AT_LEAST_ZERO),
        (AdamW, {}, "learning_rate", ABOVE_ZERO),
        (AdamW, {}, "eps", ABOVE_ZERO),
        (AdamW, {}, "weight_decay", AT_LEAST_ZERO),
        (SGD, {"learning_rate": 1}, "momentum", BELOW_ONE),
        (Cosine, {}, "min_learning_rate", ABOVE_ZERO),
        (Cosine, {}, "warmup_epochs", AT_LEAST_ZERO),
        (StepDecay, {}, "milestones", ([(0.5, 0.6), ()], [(0, 1), (2, 2), (3, 2)])),
        (StepDecay, {}, "decay", ABOVE_ZERO),
        (StepDecay, {}, "warmup_iterations", AT_LEAST_ZERO),
        (StepDecay, {}, "warmup_start", AT_LEAST_ZERO),
        (Average, {}, "decay", BELOW_ONE),
        (Average, {"decay": 0.5}, "every", AT_LEAST_ONE),
        (Training, {"epochs": 20}, "ema_decay", BELOW_ONE),
        (Training, {"epochs": 20}, "clip_norm", ABOVE_ZERO),
        (Training, {"epochs": 20}, "batch_size", AT_LEAST_ONE),
        (DDIM, {}, "eta", SHARE),
        (DDIM, {}, "steps", AT_LEAST_ONE),
        (Classification, {}, "label_smoothing", BELOW_ONE),
        (Hybrid, {"alpha": 1}, "label_smoothing", BELOW_ONE),
        (Hybrid, {}, "alpha", AT_LEAST_ZERO),
        (Denoising, {}, "alpha", ABOVE_ZERO),
        (JEM, {}, "reinitialised", SHARE),
        (JEM, {}, "input_noise", AT_LEAST_ZERO),
        (JEM, {}, "divergence_bound", ABOVE_ZERO),
        (JEM, {}, "restarts", AT_LEAST_ZERO),
        (UNet, {}, "dropout", BELOW_ONE),
        (UNet, {}, "multipliers", ([(1,)], [(), (0, 1)])),
        (JEMWideResNet, {}, "leak", BELOW_ONE),
        (JEMWideResNet, {}, "dropout", BELOW_ONE),
        (WideResNet, {}, "depth", ([10, 16, 22], [4, 11, 15, 27, -2])),
        (ViT, {"depth": 1, "heads": 4, "patch_size": 4}, "dim", ([4, 36], [0, 6, 34])),
        (ViT, {"depth": 1, "heads": 4, "patch_size": 4, "dim": 6}, "dim_head", ([1, 5], [0, None])),
        (Accuracy, {}, "after", ([0.1, 0.3, 0.7, 1], [0, 0.25, 1.1])),
        (Generation, {}, "weights", ([None, "0123abcd"], ["0123abc", "0123abcde", "0123ABCD", "0123abcg", ""])),
        (Generation, {"neighbours": 5}, "samples", ([6, 7], [5, 4, 0])),
        (Robustness, ATTACK, "step_size", ABOVE_ZERO),
        (Robustness, ATTACK, "epsilons", ([(1e-9, 8)], [(0, 1)])),
    ],
)
def test_fields_have_bounds(kind, others, field, bounds):
    allowed, refused = bounds
    for value in allowed:
        assert getattr(kind(**others | {field: value}), field) == value
    for value in refused:
        with pytest.raises(SpecError):
            kind(**others | {field: value})


def test_execution_options_are_arguments_of_the_command_line():
    assert Execution().arguments() == ["--loader=auto", "--compile=auto"]
    chosen = Execution(loader="ffcv", compile="off", tensorboard=True)
    assert chosen.arguments() == ["--loader=ffcv", "--compile=off", "--tensorboard"]


def test_infinity_and_surprises_are_no_values():
    for value in (float("inf"), float("nan")):
        with pytest.raises(SpecError, match="finite number"):
            AdamW(learning_rate=value)
    with pytest.raises(SpecError, match="AdamW: unknown field 'lerning_rate': did you mean 'learning_rate'"):
        AdamW(lerning_rate=1)
    assert issubclass(AdamW, Config)
    with pytest.raises(SpecError, match=r"^SGD: field 'learning_rate' is missing$"):
        SGD()


def test_configurations_and_what_describes_them_cannot_be_changed():
    modules = [import_module(found.name) for found in pkgutil.walk_packages(harness.config.__path__, "harness.config.")]
    named = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    kinds = {each for each in named if dataclasses.is_dataclass(each) and each.__module__.startswith("harness.config.")}
    assert {"Rule", "Shrinking", "Length", "Plugin", "Validation", "Embedding", "Fixed"} <= {k.__name__ for k in kinds}
    for kind in kinds:
        with pytest.raises(dataclasses.FrozenInstanceError):
            object.__new__(kind).name = "other"
    with pytest.raises(ValueError, match="frozen"):
        AdamW().eps = 1e-6
