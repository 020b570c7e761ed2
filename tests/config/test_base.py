"""Hashes and variants of configurations."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from harness.config.base import Config, canonical_json, sha256_of_json
from harness.config.networks import ViT
from harness.config.optimisation import SGD, Adam, AdamW, StepDecay
from harness.config.run import RunConfig
from harness.config.training import Training
from harness.data.catalogue import DIGITS
from harness.errors import SpecError, UnknownKindError
from harness_papers.hybvit.runs import GENVIT, HYBVIT


def test_identity_is_that_of_the_full_configuration():
    stored = json.loads(HYBVIT.config.canonical())
    assert stored["training"]["betas"] == [0.9, 0.999]
    assert RunConfig(**stored) == HYBVIT.config
    assert RunConfig(**stored).digest == HYBVIT.config.digest


def test_identity_of_the_common_optimiser_never_changes():
    """The ids of the paper's runs from when AdamW with one cosine was the only optimiser."""
    assert (HYBVIT.id, GENVIT.id) == ("c92cca5d020b", "259bf5c4a038")
    stored = json.loads(HYBVIT.config.canonical())["training"]
    assert stored["learning_rate"] == 1e-3
    assert not stored.keys() & {"optimizer", "schedule", "player_optimizers"}


def test_other_optimisers_are_part_of_the_identity():
    sgd = HYBVIT.config.training.but(optimizer=SGD(learning_rate=0.1), schedule=StepDecay(milestones=(1.5,), decay=0.2))
    variants = {
        sgd.digest,
        sgd.but(nesterov=True).digest,
        sgd.but(decay=0.3).digest,
        sgd.but(ema_decay=None).digest,
        sgd.but(player_optimizers={"generator": Adam(learning_rate=1e-4)}).digest,
        sgd.but(player_optimizers={"generator": Adam(learning_rate=2e-4)}).digest,
        sgd.but(optimizer=AdamW()).digest,
        HYBVIT.config.training.digest,
    }
    assert len(variants) == 8
    for training in (sgd, sgd.but(player_optimizers={"generator": Adam(learning_rate=1e-4)})):
        assert Training(**json.loads(training.canonical())) == training


def test_identity_does_not_depend_on_how_a_number_was_written():
    assert HYBVIT.but(alpha=1).id == HYBVIT.but(alpha=1.0).id


def test_a_default_that_changes_makes_a_new_identity():
    explicit = json.loads(HYBVIT.config.canonical())
    explicit["training"]["weight_decay"] = 0.1
    assert RunConfig(**explicit).digest != HYBVIT.config.digest


@given(alpha=st.floats(0, 1e6), dim=st.sampled_from([12, 24, 384]), seed=st.integers(0, 2**31))
@settings(deadline=None)
def test_but_is_exact_and_leaves_the_original_alone(alpha, dim, seed):
    before = HYBVIT.config.canonical()
    changed = HYBVIT.but(alpha=alpha, dim=dim, seed=seed).config
    assert (changed.method.alpha, changed.network.dim, changed.seed) == (alpha, dim, seed)
    assert changed.training == HYBVIT.config.training
    assert HYBVIT.config.canonical() == before
    assert RunConfig(**json.loads(changed.canonical())) == changed


def test_equal_configurations_are_the_same_run_whatever_their_names():
    assert HYBVIT.but(alpha=100) == HYBVIT
    assert HYBVIT.but(alpha=100).name != HYBVIT.name
    assert len({HYBVIT, HYBVIT.but(alpha=100), GENVIT}) == 2


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"head": 6}, ["'head'", "did you mean 'heads'"]),
        ({"dim": 384, "heads": 7}, ["heads=7", "dim=384", "1, 2, 3, 4, 6, 8, 12"]),
        ({"patch_size": 5}, ["patch_size=5", "32-pixel", "1, 2, 4, 8, 16, 32"]),
        ({"alpha": "large"}, ["alpha='large'", "valid number"]),
        ({"alpha": float("nan")}, ["alpha=nan"]),
        ({"noise_schedule": "cosin"}, ["the kind 'cosin'", "did you mean 'cosine'", "noise schedule", "linear"]),
        ({"epochs": 0}, ["epochs=0", "greater than 0"]),
        ({"epochs": 5}, ["warmup_epochs=10 exceeds epochs=5"]),
        ({"ema_decay": 1.0}, ["ema_decay=1.0", "less than 1"]),
        ({"schedule": StepDecay(milestones=(60, 500))}, ["milestones=500", "epochs=500"]),
        ({"network": None}, ["network=None"]),
    ],
)
def test_an_impossible_variant_fails_at_once_on_one_line(changes, parts):
    with pytest.raises(SpecError) as caught:
        HYBVIT.but(**changes)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_milestones_out_of_order_are_refused():
    with pytest.raises(SpecError, match=r"milestones=\(3, 2\): must be strictly increasing"):
        StepDecay(milestones=(3, 2))


def test_a_missing_field_is_named():
    with pytest.raises(SpecError, match="'depth' is missing"):
        ViT(dim=384, heads=12, patch_size=4)


def test_a_field_without_its_name_is_refused():
    with pytest.raises(SpecError) as caught:
        SGD(0.1, nesterov=True)
    assert str(caught.value).startswith("SGD(0.1): pass fields by keyword: learning_rate=..., momentum=...")


def test_a_stored_kind_that_does_not_exist_is_refused():
    stored = json.loads(HYBVIT.config.canonical())
    stored["method"]["kind"] = "os.system"
    with pytest.raises(UnknownKindError, match=r"kind 'os.system', which no installed paper offers.* hybrid"):
        RunConfig(**stored)


def test_data_can_be_exchanged_as_a_whole():
    assert HYBVIT.but(data=DIGITS, patch_size=2).config.data == DIGITS


class Part(Config):
    width: int = 1


class Pair(Config):
    """Two parts with a field of the same name."""

    left: Part = Part()
    right: Part = Part(width=2)


@pytest.mark.parametrize("ask", [lambda pair: pair.but(width=3), lambda pair: pair.value_of("width")])
def test_a_field_that_two_parts_have_is_refused(ask):
    with pytest.raises(SpecError) as caught:
        ask(Pair())
    message = "field 'width' is in left and in right: use its path, 'left.width' or 'right.width'"
    assert str(caught.value) == message


def test_a_field_that_two_parts_have_is_named_by_its_path():
    pair = Pair().but("right.width", 3)
    assert (pair.value_of("left.width"), pair.value_of("right.width")) == (1, 3)


class Holder(Config):
    """A part within a part, a plain field, and a field that was added later."""

    left_out = frozenset({"later", "many"})

    inside: Pair = Pair()
    name: str = "a"
    later: int = 3
    many: list[int] = Field(default_factory=list)


def test_fields_are_found_at_any_depth():
    holder = Holder()
    assert holder.value_of("inside.left.width") == 1 and holder.value_of("name") == "a"
    assert holder.value_of("inside") == Pair()
    has = ("name", "inside", "left", "width", "inside.left", "inside.left.width", "left.width", "inside.width")
    assert [holder.has(name) for name in has] == [True, True, True, True, True, True, False, True]
    assert not holder.has("kind") and not holder.has("width.left") and not holder.has("inside.name")
    assert holder.but("inside.left", Part(width=7), name="b") == Holder(inside=Pair(left=Part(width=7)), name="b")
    assert holder.but("name", "b") == Holder(name="b") and holder.but() == holder
    assert holder.but(left=Part(width=9)).inside == Pair(left=Part(width=9))
    for ask in (lambda: holder.but(nme="b"), lambda: holder.value_of("nme")):
        with pytest.raises(
            SpecError, match=r"unknown field of Holder 'nme': did you mean 'name'\? allowed: inside, lat"
        ):
            ask()


def test_the_canonical_form_is_sorted_and_leaves_out_later_defaults():
    text = '{"inside":{"left":{"width":1},"right":{"width":2}},"name":"a"}'
    assert Holder().canonical() == text
    assert Holder().digest == hashlib.sha256(text.encode()).hexdigest()
    assert '"later":4' in Holder(later=4).canonical() and '"many":[1]' in Holder(many=[1]).canonical()
    assert sha256_of_json({"b": 1, "a": [None]}) == hashlib.sha256(b'{"a":[null],"b":1}').hexdigest()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Part(width="x"), "Part: width='x': input should be a valid integer, unable to"),
        (lambda: Holder(inside={"left": {"width": "x"}}), "Holder: inside={'left': {'width': 'x'}}: "),
        (lambda: Part(width=1, depth=2), "Part: unknown field 'depth': did you mean 'width'? allowed: width"),
        (lambda: StepDecay(milestones=(3, 2)), "StepDecay: milestones=(3, 2): must be strictly increasing"),
        (lambda: StepDecay(kind="cosine"), "StepDecay: kind='cosine': input should be 'step_decay'"),
        (
            lambda: StepDecay(decy=1),
            "StepDecay: unknown field 'decy': did you mean 'decay'? allowed: decay, milestones, w",
        ),
        (
            lambda: StepDecay((3, 2)),
            "StepDecay((3, 2) (tuple)): pass fields by keyword: milestones=..., decay=..., warmup",
        ),
        (lambda: Training(epochs=5), "Training: warmup_epochs=10 exceeds epochs=5"),
    ],
)
def test_an_invalid_field_is_told_with_its_value(make, says):
    with pytest.raises(SpecError) as caught:
        make()
    assert str(caught.value).startswith(says)
