"""Evaluation: calibration, outliers, attacks, quantised samples, and the metrics of torch-fidelity."""

import json
import warnings
from argparse import Namespace
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from harness.config.evaluations import LogDensity, MaxProbability
from harness.data.loaders import ResidentLoader, to_uint8
from harness.data.prepared.dataset import Split
from harness.evaluation.generation import PERMUTATION_SEED
from harness.evaluation.ood import MIXED_BATCH, interpolations, scores
from harness.evaluation.pgd import Attack, Box, Sphere
from harness.evaluation.robustness import UNIT
from harness.metrics.auroc import auroc
from harness.metrics.calibration import reliability
from harness.metrics.class_score import class_score
from harness.metrics.frechet import frechet_distance, moments
from harness.models.vit import VisionTransformer
from harness.randomness import Stream
from tools.parity.official import Checkout, OfficialError, Overlay, execute, replaced
from tools.parity.process import SMALL, dataset, quiet
from tools.parity.table import Row, compare, precision

CPU = torch.device("cpu")
ROWS = torch.arange(500)


def network() -> VisionTransformer:
    """Return a small classifier of 16x16 images."""
    ours = VisionTransformer(SMALL, dataset(16))
    ours.initialise(torch.Generator().manual_seed(0))
    return ours


def calibration(checkout: Checkout) -> Iterator[Row]:
    """Compare the expected calibration error of 500 predictions over 20 bins."""
    logits, labels = 3 * Stream("logits").normal(ROWS, 10), Stream("labels").integers(ROWS, 10)
    theirs = checkout.module("Task/calibration.py").ECELoss(20)(logits, labels)
    ours = reliability(logits.numpy(), labels.numpy(), 20).expected_calibration_error()
    yield compare("calibration error", "float32", [ours], theirs, 1e-5)


class Watched(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """Images that record the order in which they are requested."""

    def __init__(self, images: Tensor) -> None:
        self.images, self.order = images, list[int]()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.order.append(index)
        return self.images[index], 0


class GivenOrder(Stream):
    """A stream with a fixed permutation."""

    def __init__(self, order: list[int]) -> None:
        super().__init__("given")
        self._order = torch.tensor(order)

    def permutation(self, n: int, device: torch.device | str = "cpu") -> Tensor:
        """Return the fixed permutation."""
        return self._order.to(device)


def outliers(checkout: Checkout) -> Iterator[Row]:
    """Compare scores and AUROC with the authors' `OODAUC`, for other images and for Interp."""
    module, model = checkout.module("Task/eval_tasks.py"), network()
    pixels = [(Stream(name).uniform(ROWS, 3, 16, 16) * 256).to(torch.uint8) for name in ("test", "outliers")]
    labels = np.zeros(len(ROWS), np.int64)
    splits = [Split(dataset(16), {"images": part.numpy(), "labels": labels}) for part in pixels]
    loaders = [ResidentLoader(split, CPU) for split in splits]
    nothing = SimpleNamespace(**dict.fromkeys(("Compose", "ToTensor", "Normalize", "Resize"), lambda *a, **k: None))
    for kind, score in (("svhn", "px"), ("svhn", "py"), ("cifar_interp", "px")):
        real, fake = (Watched(next(loader.blocks(len(ROWS))).images) for loader in loaders)
        given = iter([real, Watched(real.images) if kind == "cifar_interp" else fake])
        opened: list[Watched] = []

        def next_dataset(given: Iterator[Watched] = given, kept: list[Watched] = opened, **_: object) -> Watched:
            kept.append(next(given))
            return kept[-1]

        module.tr = nothing
        module.tv = SimpleNamespace(datasets=SimpleNamespace(CIFAR10=next_dataset, SVHN=next_dataset))
        arguments = Namespace(ood_dataset=kind, score_fn=score, debug=True, resume="")
        with quiet(), warnings.catch_warnings(), patch("sklearn.metrics.roc_auc_score", return_value=0.0) as judge:
            warnings.simplefilter("ignore")
            module.OODAUC(model.logits, arguments, CPU)
        labels, theirs = judge.call_args.args
        images = opened[1].images[opened[1].order]
        if kind == "cifar_interp":
            order, means = GivenOrder(opened[1].order), range(len(ROWS) - MIXED_BATCH)
            images = torch.cat(list(interpolations(loaders[0], order, means)))
        ours_kind = LogDensity() if score == "px" else MaxProbability()
        with torch.no_grad():
            mine = [scores(ours_kind, model.logits(part).numpy()) for part in (real.images, images)]
        what = f"outliers, {kind}, {score}"
        yield compare(f"{what}: scores", "float32", np.concatenate(mine), theirs, 1e-5)
        judged = auroc(theirs[labels == 1], theirs[labels == 0])
        yield compare(f"{what}: AUROC", "float64", [auroc(*mine)], [judged], 1e-4)


def attacks(checkout: Checkout) -> Iterator[Row]:
    """Compare random starts, and the query, of 51, at which each of 60 images is first misclassified.

    Each side computes its own start from the same draws, at sizes where L2 starts leave the range of images.
    """
    path = checkout.root / "bpda_eot_attack.json"
    if not path.is_file():
        raise OfficialError(f"bpda_eot_attack.json is missing from {checkout.root}")
    module, rows = checkout.module("bpda_eot_attack.py"), torch.arange(60)
    for norm, epsilon in (("linf", 4.0), ("linf", 22.0), ("l2", 50.0), ("l2", 100.0), ("l2", 200.0)):
        with precision("float64"):
            model, images = network(), Stream("images").normal(rows, 3, 16, 16).div(3).clamp(-1, 1)
            with torch.no_grad():
                labels = model.logits(images).argmax(1)
            labels[::10] = (labels[::10] + 1) % 10
            config = json.loads(path.read_text())
            ball, step = (Box if norm == "linf" else Sphere)(UNIT * epsilon), UNIT * config["adv_eta"]
            start = ball.random_points(images, Stream("start"), rows)
            config.update(adv_norm=norm.replace("l", "l_"), adv_eps=UNIT * epsilon, adv_eta=step)
            given = {
                "config": config, "clf": model.logits, "batch": 0, "criterion": torch.nn.CrossEntropyLoss(),
                "t": start_draws(Stream("start"), rows, images.shape[1:]),
            }  # fmt: skip
            with quiet(), replaced(module, given):
                official = module.rand_init_l_p(images.clone(), config["adv_norm"], config["adv_eps"])
                standing, _ = module.attack_batch(images, labels, 0)
            yield compare(f"attack {norm}, {epsilon:g}/255: start", "float64", start, official, 1e-6)
            theirs = torch.where(standing.all(0), -1, (~standing).int().argmax(0))
            found = Attack(ball, step, config["adv_steps"]).first_errors(
                model.logits, images, labels, start, len(images), lambda ended: None
            )
            with torch.no_grad():
                clean = model.logits(images).argmax(1) == labels
            ours = torch.where(clean, torch.where(found == -1, -1, found + 1), 0)
            yield compare(f"attack {norm}, {epsilon:g}/255: query of the fall", "float64", ours, theirs, 0)


def start_draws(stream: Stream, rows: Tensor, shape: torch.Size) -> Overlay:
    """Return torch with our draws of a random start; their code moves the distances to a GPU."""
    distances = stream.at("distance").uniform(rows).double().reshape(-1, *(1 for _ in shape))
    return Overlay(
        torch,
        rand_like=lambda images: stream.uniform(rows, *shape).double(),
        randn_like=lambda images: stream.at("direction").normal(rows, *shape),
        rand=lambda *size: Scaled(distances),
    )


class Scaled:
    """Factors that `cuda` leaves on the CPU."""

    def __init__(self, factors: Tensor) -> None:
        self._factors = factors

    def cuda(self) -> Tensor:
        """Return the factors."""
        return self._factors


def quantisation(checkout: Checkout) -> Iterator[Row]:
    """Compare the uint8 samples passed to the authors' metrics."""
    module, images = checkout.module("utils/eval_quality.py"), Stream("samples").normal(ROWS, 3, 8, 8).clamp(-1, 1)
    kept: dict[str, Any] = {}
    module.torch_fidelity = SimpleNamespace(calculate_metrics=lambda **given: kept.update(given) or {})
    with quiet():
        module.eval_is_fid((images + 1) * 0.5 * 255, dataset="cifar10")
    theirs = torch.stack([kept["input1"][i] for i in range(len(images))])
    yield compare("samples as bytes", "exact", to_uint8(images), theirs, 0)


def fidelity(checkout: Checkout) -> Iterator[Row]:
    """Compare the permuted class score and the Fréchet distance with torch-fidelity's functions of features."""
    score, distance = fidelity_module(checkout, "metric_isc"), fidelity_module(checkout, "metric_fid")
    rows = torch.arange(1003)
    features, other = (Stream(name).normal(rows, 64) for name in ("features", "reference"))
    theirs = score.isc_features_to_metric(2 * features, splits=10, shuffle=True, rng_seed=2020)
    shuffled = np.random.RandomState(PERMUTATION_SEED).permutation(len(rows))
    mean, sd = class_score((2 * features).numpy()[shuffled], 10)
    official = [theirs["inception_score_mean"], theirs["inception_score_std"]]
    yield compare("class score over 10 permuted splits of 1,003", "float64", [mean, sd], official, 1e-7)
    statistics = [distance.fid_features_to_statistics(part) for part in (features, 0.5 * other + 0.2)]
    with quiet():
        theirs = distance.fid_statistics_to_metric(*statistics, False)
    ours = frechet_distance(moments(features.numpy()), moments((0.5 * other + 0.2).numpy()))
    yield compare("Fréchet distance", "float64", [ours], [theirs["frechet_inception_distance"]], 1e-6)


def fidelity_module(checkout: Checkout, name: str) -> ModuleType:
    """Return the definitions of a torch-fidelity module, without importing torchvision.

    Raises `OfficialError` if it is not installed.
    """
    spec = find_spec("torch_fidelity")
    if spec is None or spec.origin is None:
        raise OfficialError("torch-fidelity is not installed: pip install --no-deps torch-fidelity==0.3.0")
    module = ModuleType(f"official.torch_fidelity.{name}")
    execute(Path(spec.origin).parent / f"{name}.py", f"torch_fidelity/{name}.py", module, checkout)
    module.vprint = lambda *arguments: None
    for constant in ("KEY_METRIC_ISC_MEAN", "KEY_METRIC_ISC_STD", "KEY_METRIC_FID"):
        key = {"MEAN": "inception_score_mean", "STD": "inception_score_std"}.get(constant.rsplit("_", 1)[1])
        setattr(module, constant, key or "frechet_inception_distance")
    return module
