"""Cost of evaluations, counted by hand."""

import math
from typing import ClassVar, Literal

import pytest
from foreign import PlainMLP
from toy_paper import DENOISING, HYBRID

from harness.config.dataset import Arrays
from harness.config.evaluations import (
    PROTOCOL,
    Accuracy,
    Calibration,
    Evaluation,
    Generation,
    Likelihood,
    OutOfDistribution,
    Robustness,
    Runtime,
    Size,
    measure_of,
    reading_of,
)
from harness.config.evaluations.base import cheapest_pass, cost_of
from harness.config.feature_spaces import ClassifierSpace, Embedding, FeatureSpace, InceptionSpace
from harness.config.interfaces import LOGITS, PREDICT_NOISE
from harness.config.methods import Classification, Method
from harness.config.samplers import DDIM, Ancestral, DPMSolver
from harness.data.catalogue import DIGITS, MOSAICS
from harness.errors import SpecError

CONFIG = HYBRID.config
CLASSIFIED = CONFIG.network.flops(DIGITS, "logits")
DENOISED = CONFIG.network.flops(DIGITS, "predict_noise")
TEST = DIGITS.test_examples


@pytest.mark.parametrize(
    ("evaluation", "passes", "flops"),
    [
        (Accuracy(split="train"), DIGITS.train_examples, CLASSIFIED),
        (Calibration(split="train"), DIGITS.train_examples, CLASSIFIED),
        (OutOfDistribution(), 2 * TEST, CLASSIFIED),
        (OutOfDistribution(outliers=MOSAICS), TEST + MOSAICS.test_examples, CLASSIFIED),
        (Generation(samples=50), 50 * 4, DENOISED),
        (Generation(samples=50, sampler=DDIM(steps=3)), 50 * 3, DENOISED),
        (Generation(samples=50, sampler=DPMSolver(steps=5)), 50 * 5, DENOISED),
        (Likelihood(), TEST * 4, DENOISED),
        (Likelihood(split="train"), DIGITS.train_examples * 4, DENOISED),
        (Robustness(norm="l2", epsilons=(1, 2, 3), steps=9, restarts=2, images=7), 7 * 3 * 2 * 10, 3 * CLASSIFIED),
        (Runtime(warmup_steps=1, timed_steps=2, windows=3), 7 * 64, 3 * (CLASSIFIED + DENOISED)),
        (Size(), 0, 0.0),
    ],
)
def test_passes_and_their_operations(evaluation, passes, flops):
    assert evaluation.work(CONFIG) == (passes, pytest.approx(flops))
    assert evaluation.work(CONFIG).total == pytest.approx(passes * flops)


def test_no_more_images_are_attacked_than_there_are():
    attack = Robustness(norm="l2", epsilons=(1,), steps=1, images=10 * TEST)
    assert attack.work(CONFIG).passes == 2 * TEST


@pytest.mark.parametrize(
    ("splits", "settings", "passes"),
    [
        ({"train": 8, "test": 3}, {}, 3),
        ({"train": 8, "test": 3, "holdout": 5}, {"split": "holdout"}, 5),
        ({"train": 8, "holdout": 5}, {}, 8),
    ],
)
def test_what_says_nothing_of_its_work_passes_over_its_split_or_another(monkeypatch, splits, settings, passes):
    monkeypatch.setattr(Evaluation, "kinds", dict(Evaluation.kinds))

    class Mine(Evaluation):
        kind: str = "mine"
        split: str = "test"

    data = Arrays(name="table", fields={"x": ((3,), "float32"), "y": ((), "int64")}, splits=splits, num_classes=2)
    config = CONFIG.but(data=data, network=PlainMLP(), method=Classification())
    assert Mine(**settings).work(config).passes == passes


def test_every_kind_has_its_work_on_every_method():
    """Including methods without a sampling chain. Only the size of a network takes no computation."""
    settings = {"robustness": {"norm": "linf", "epsilons": (1,)}}
    for config in (CONFIG, DENOISING.config, CONFIG.but(method=Classification())):
        for kind, evaluation in Evaluation.kinds.items():
            total = evaluation(**settings.get(kind, {})).work(config).total
            assert (total == 0) == (kind == "size"), kind
            assert math.isfinite(total), kind


def test_every_field_of_generation_decides_samples_or_scores():
    assert Generation.scoring == Generation.model_fields.keys() - {"kind", "sampler", "after"}


def test_a_pass_that_a_method_lacks_costs_as_much_as_its_cheapest():
    classifier = CONFIG.but(method=Classification())
    assert (cost_of(CONFIG, LOGITS), cost_of(CONFIG, PREDICT_NOISE)) == (CLASSIFIED, DENOISED)
    assert cost_of(classifier, PREDICT_NOISE) == cost_of(DENOISING.config, LOGITS) / DENOISED * CLASSIFIED == CLASSIFIED
    assert cheapest_pass(CONFIG) == min(CLASSIFIED, DENOISED) != max(CLASSIFIED, DENOISED)


def test_a_method_without_passes_costs_nothing(monkeypatch):
    monkeypatch.setattr(Method, "kinds", dict(Method.kinds))

    class Idle(Classification):
        kind: Literal["idle"] = "idle"
        passes: ClassVar[frozenset[str]] = frozenset()

    assert Accuracy().work(CONFIG.but(method=Idle())) == (TEST, 0)


ATTACK = Robustness(norm="linf", epsilons=(8, 2, 0.5), steps=9, step_size=3, restarts=4, images=50)
SHARES = ("precision", "recall", "density", "coverage")


def labels(against, score, distance="FID"):
    names = {"frechet_distance": distance} | {name: name for name in SHARES}
    return {quantity: name + against for quantity, name in names.items()} | {"class_score": score}


@pytest.mark.parametrize(
    ("evaluation", "expected"),
    [
        (Accuracy(), {"accuracy": "Acc"}),
        (Calibration(), {"expected_calibration_error": "ECE", "confidence_gap": "confidence - Acc"}),
        (OutOfDistribution(), {"auroc": "Interp"}),
        (OutOfDistribution(outliers=MOSAICS), {"auroc": "mosaics"}),
        (Likelihood(), {"bits_per_dim": "bits/dim"}),
        (Size(), {"parameters_m": "NoP"}),
        (Runtime(), {"minutes_per_epoch": "Min/Epoch", "runtime_hours": "Runtime", "gpu_hours": "device hours"}),
        (ATTACK, {"robust_linf_8": "L∞ 8/255", "robust_linf_2": "L∞ 2/255", "robust_linf_0.5": "L∞ 0.5/255"}),
        (ATTACK.but(norm="l2", epsilons=(1,)), {"robust_l2_1": "L2 1/255"}),
        (Generation(), labels("@10k train", "IS@10k")),
        (Generation(samples=1000, reference="test"), labels("@1k test", "IS@1k")),
        (Generation(samples=2500), labels("@2.5k train", "IS@2.5k")),
        (Generation(samples=999), labels("@999 train", "IS@999")),
        (
            Generation(sampler=DPMSolver(steps=7)),
            labels("@10k train, DPM-Solver++, 7 steps", "IS@10k, DPM-Solver++, 7 steps"),
        ),
        (Generation(features="classifier"), labels("(digits)", "CS(digits)", "FD")),
        (
            Generation(features="classifier", sampler=DDIM(steps=3)),
            labels("(digits)@DDIM, 3 steps", "CS(digits)@DDIM, 3 steps", "FD"),
        ),
        (
            Generation(weights="0123abcd"),
            labels("(inception 0123abcd)", "CS(inception 0123abcd)", "FD"),
        ),
    ],
)
def test_labels_tell_what_was_measured(evaluation, expected):
    assert evaluation.labels(DIGITS) == expected


def test_a_measure_is_a_label_without_its_protocol():
    assert [measure_of(label) for label in ("FID@10k train", "FD(digits)@DDIM, 3 steps", "Acc")] == [
        "FID", "FD(digits)", "Acc"
    ]  # fmt: skip
    assert PROTOCOL == "@"


HALFWAY = {"after": 0.5}


@pytest.mark.parametrize(
    ("evaluation", "expected"),
    [
        (Accuracy(split="train", **HALFWAY), Accuracy(split="train")),
        (Calibration(bins=7, **HALFWAY), Calibration(bins=7)),
        (Likelihood(**HALFWAY), Likelihood()),
        (OutOfDistribution(**HALFWAY), OutOfDistribution()),
        (
            OutOfDistribution(outliers=MOSAICS, **HALFWAY),
            OutOfDistribution(outliers=MOSAICS.but(train_examples=9, test_examples=9)),
        ),
        (Runtime(**HALFWAY), Runtime(warmup_steps=1, timed_steps=1, windows=2)),
        (
            ATTACK.but(**HALFWAY),
            Robustness(norm="linf", epsilons=(0.0005,), steps=2, step_size=None, restarts=1, images=9),
        ),
        (ATTACK.but(images=3), Robustness(norm="linf", epsilons=(0.0005,), steps=2, images=3)),
        (Generation(**HALFWAY), Generation(samples=9)),
        (Generation(samples=7), Generation(samples=7)),
        (Generation(samples=50, neighbours=20), Generation(samples=21, neighbours=20)),
        (Generation(neighbours=8), Generation(samples=9, neighbours=8)),
    ],
)
def test_rehearsals_evaluate_a_few_items(evaluation, expected):
    assert evaluation.reduced(9) == expected


def test_an_evaluation_is_named_by_its_kind_and_its_digest():
    assert Accuracy().id == f"accuracy-{Accuracy().digest[:8]}" == Evaluation.id_of("accuracy", Accuracy().digest)
    assert len(Accuracy().id) == len("accuracy-") + 8


def test_other_datasets_are_those_of_the_settings():
    assert OutOfDistribution(outliers=MOSAICS).datasets == (MOSAICS,)
    assert OutOfDistribution().datasets == Accuracy().datasets == ()


def test_norms_and_scores_without_settings_are_written_as_their_names():
    assert ATTACK.model_dump(mode="json")["norm"] == "linf"
    assert OutOfDistribution(score="max_probability").model_dump(mode="json")["score"] == "max_probability"


def test_what_is_stored_of_samples_are_pixels_and_features():
    assert Generation(samples=10).disk_bytes(DIGITS) == 10 * (64 + 4 * (2048 + 1008 + 10))
    assert Generation(samples=10, features="classifier").disk_bytes(DIGITS) == 10 * (64 + 4 * 10)
    assert Accuracy().disk_bytes(DIGITS) == Size().disk_bytes(DIGITS) == 0
    assert Accuracy().embedding is None
    assert Generation(weights="0123abcd", reference="test").embedding == Embedding(InceptionSpace(), "0123abcd", "test")
    assert Generation(features="classifier").embedding == Embedding(ClassifierSpace(), "", "train")


def test_feature_spaces_name_themselves_and_their_folders(monkeypatch):
    monkeypatch.setattr(FeatureSpace, "kinds", dict(FeatureSpace.kinds))

    class Mine(FeatureSpace):
        kind: str = "mine"

    told = [
        (
            space.title(DIGITS, weights),
            space.is_inception(weights),
            space.floats(DIGITS),
            space.folders(DIGITS, weights),
        )
        for space in (InceptionSpace(), ClassifierSpace(), Mine())
        for weights in ("", "0123abcd")
    ]
    assert told == [
        ("inception", True, 3066, "inception-*-digits-*"),
        ("inception 0123abcd", False, 3066, "inception-0123abcd*-digits-*"),
        ("digits", False, 10, "digits-*-r*"),
        ("digits", False, 10, "digits-*-r*"),
        ("mine", False, 20, ""),
        ("mine", False, 20, ""),
    ]


def test_only_the_full_chain_needs_no_note():
    assert [(sampler.label, sampler.full, sampler.passes(100)) for sampler in (Ancestral(), DDIM(), DPMSolver())] == [
        ("", True, 100), ("DDIM, 50 steps", False, 50), ("DPM-Solver++, 20 steps", False, 20)
    ]  # fmt: skip


def test_an_evaluation_accepts_settings_that_it_has():
    assert Accuracy.accepts([]) and Accuracy.accepts(["split"]) and Accuracy.accepts(["split", "after", "kind"])
    assert not Accuracy.accepts(["samples"]) and not Accuracy.accepts(["split", "samples"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("samples=50000", {"samples": "50000"}),
        (" steps = 100 , restarts=5", {"steps": "100", "restarts": "5"}),
        ("split=a=b", {"split": "a=b"}),
    ],
)
def test_settings_of_a_reading_are_pairs(text, expected):
    assert reading_of(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("samples", "invalid protocol 'samples': write settings as in samples=50000"),
        ("samples=", "invalid protocol 'samples=': write settings as in samples=50000"),
        ("samples=5,", "invalid protocol 'samples=5,': write settings as in samples=50000"),
        ("smaples=5", "unknown setting of an evaluation 'smaples': did you mean 'samples'"),
        ("kind=5", "unknown setting of an evaluation 'kind': "),
        ("samples=5,bins=3", "invalid protocol 'samples=5,bins=3': no evaluation has both samples and bins"),
    ],
)
def test_a_reading_that_no_evaluation_has_is_refused(text, says):
    with pytest.raises(SpecError, match=f"^{says}"):
        reading_of(text)
