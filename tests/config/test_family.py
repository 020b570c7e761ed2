"""Families of kinds: ownership of names, serialisation, and deserialisation."""

import json
from typing import ClassVar, Literal

import pytest
from pydantic import PositiveInt
from toy_paper import HYBRID

from harness.config.augmentation import Augmentation, AugmentationStep, Policy
from harness.config.base import Config
from harness.config.dataset import Dataset, Images
from harness.config.evaluations import Accuracy, Evaluation, Generation
from harness.config.family import Family
from harness.config.feature_spaces import FeatureSpace
from harness.config.interfaces import Capability, Pass
from harness.config.methods import Classification, Method
from harness.config.networks import Network, ViT
from harness.config.optimisation import Constant
from harness.config.plugins import Plugin
from harness.config.processes import CosineNoise, GaussianProcess, NoiseSchedule, Process
from harness.config.resolve import resolve
from harness.errors import RevisionError, SpecError, UnknownKindError


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    """Unregister the kinds and names that a test registers."""
    for family in (Policy, AugmentationStep, NoiseSchedule, Network, Method, Evaluation, FeatureSpace):
        monkeypatch.setattr(family, "kinds", dict(family.kinds))
    for interface in (Capability, Pass):
        monkeypatch.setattr(interface, "registered", dict(interface.registered))


def written(config):
    return json.loads(config.canonical())


def test_a_kind_without_settings_is_written_as_its_name():
    augmentation = Augmentation(policy="cifar10")
    assert written(augmentation)["policy"] == "cifar10"
    assert Augmentation(**written(augmentation)) == augmentation
    assert written(GaussianProcess()) == {"timesteps": 1000, "noise_schedule": "cosine", "loss": "l1"}
    assert written(Generation())["features"] == "inception"
    assert str(CosineNoise()) == "cosine"
    assert str(GaussianProcess(timesteps=7)).startswith("kind='gaussian' timesteps=7 ")
    assert written(Constant()) == {"kind": "constant"}, "its family is written with the field"


def test_a_kind_with_settings_is_written_whole():
    class Sigmoid(NoiseSchedule):
        kind: Literal["sigmoid"] = "sigmoid"
        implementation: ClassVar[str] = "somewhere:sigmoid"
        start: float = -3.0

    process = GaussianProcess(noise_schedule=Sigmoid(start=-2))
    assert written(process)["noise_schedule"] == {"kind": "sigmoid", "start": -2.0}
    assert Process.read(written(process)) == process
    assert GaussianProcess(noise_schedule="sigmoid").noise_schedule == Sigmoid()


def test_what_was_there_first_is_written_without_its_kind():
    data = Images(name="a", image_size=8, channels=1, num_classes=10, train_examples=3, test_examples=2)
    assert "kind" not in written(data)
    assert Dataset.read(written(data)) == data
    assert Process.read({"timesteps": 7}) == GaussianProcess(timesteps=7)


def test_later_fields_are_left_out_while_they_have_their_defaults():
    class Noise(AugmentationStep):
        kind: Literal["noise"] = "noise"
        implementation: ClassVar[str] = "somewhere:noise"

    assert "steps" not in written(Augmentation())
    assert written(Augmentation(steps=("noise",)))["steps"] == ["noise"]
    assert Augmentation(**written(Augmentation(steps=(Noise(),)))).steps == (Noise(),)


def test_a_revision_is_part_of_the_identity_and_of_what_can_be_read():
    class First(Evaluation):
        kind: Literal["shaky"] = "shaky"
        implementation: ClassVar[str] = "somewhere:shaky"

    first, before = First().id, written(First())
    assert "revision" not in before
    First.revision = 2
    second = First()
    assert written(second)["revision"] == 2 and second.id != first
    assert Evaluation.read(written(second)) == second
    with pytest.raises(RevisionError, match="the evaluation kind 'shaky' has revision 2 now, not 1"):
        Evaluation.read(before)


def test_a_second_owner_of_a_kind_is_refused_whoever_comes_first():
    with pytest.raises(SpecError, match=r"network kind 'vit' belongs to harness\.config\.networks\.vit\.ViT: choose"):

        class Mine(Network):
            kind: Literal["vit"] = "vit"

    assert Network.kinds["vit"] is ViT

    def define():
        class Ours(Network):
            kind: Literal["ours"] = "ours"

        return Ours

    first = define()
    assert define() is Network.kinds["ours"], "reloading a module defines the same kind"
    first.__qualname__ = "elsewhere"
    Network.kinds["ours"].__qualname__ = "elsewhere"
    with pytest.raises(SpecError, match="network kind 'ours' belongs to"):
        define()


@pytest.mark.parametrize("name", ["../x", "", "a b", "x" * 65])
def test_a_kind_that_cannot_name_a_file_is_refused(name):
    with pytest.raises(SpecError, match="cannot be a kind"):
        type("Mine", (Evaluation,), {"__annotations__": {"kind": Literal[name]}, "kind": name, "__module__": "mine"})


def test_an_unknown_kind_is_named_with_the_nearest():
    with pytest.raises(UnknownKindError) as caught:
        Network.read({"kind": "vti\x1b[2J", "dim": 3})
    message = str(caught.value)
    assert "needs the kind 'vti\\x1b[2J', which no installed paper offers" in message
    assert "allowed network kinds: " in message and "version" not in message and "\x1b" not in message
    with pytest.raises(UnknownKindError, match="did you mean 'cosine'"):
        GaussianProcess(noise_schedule="cosin")
    with pytest.raises(SpecError, match=r"field 'kind' of a network is missing: allowed: .*vit"):
        Network.read({"dim": 3})


def test_each_operation_of_a_model_or_a_network_has_its_protocol():
    models = {name: f"harness.methods.base:{protocol}" for name, protocol in (
        ("classifier", "Classifier"), ("generator", "Generator"), ("likelihood", "LikelihoodModel"),
    )}  # fmt: skip
    networks = {name: f"harness.models.passes:{protocol}" for name, protocol in (
        ("forward", "Forward"), ("logits", "Logits"), ("predict_noise", "PredictNoise"), ("generate", "Generate"),
        ("features", "Features"), ("logits_from", "LogitsFrom"),
    )}  # fmt: skip
    for interface, expected in ((Capability, models), (Pass, networks)):
        assert {name: each.protocol for name, each in interface.registered.items() if name in expected} == expected
        for protocol in expected.values():
            assert resolve(protocol).__name__ == protocol.partition(":")[2]


def test_sizes_are_of_fields_that_a_kind_has():
    with pytest.raises(SpecError, match=r"unknown field in shrinks of .*Thin 'widht': did you mean 'width'\?"):

        class Thin(Network):
            kind: Literal["thin"] = "thin"
            shrinks: ClassVar[dict[str, str]] = {"widht": "width"}
            width: int = 3

    assert "thin" not in Network.kinds


def test_kinds_of_the_harness_are_loaded_before_foreign_or_unknown_ones(monkeypatch):
    calls = []
    monkeypatch.setattr("harness.config.family.load_built_in", lambda: calls.append("built in"))
    monkeypatch.setattr("harness.config.family.load_plugins", lambda: calls.append("plugins") or ())

    class Foreign(Network):
        kind: Literal["foreign"] = "foreign"

    assert calls == ["built in"]
    type("Own", (Network,), {"__annotations__": {"kind": Literal["own"]}, "kind": "own", "__module__": "harness.mine"})
    assert Network.read({"kind": "foreign"}) == Foreign() and calls == ["built in"]
    with pytest.raises(UnknownKindError):
        Network.read("nobodys")
    assert calls == ["built in", "built in", "plugins"]


def test_an_unknown_kind_is_told_with_the_plugins_that_cannot_be_loaded(monkeypatch):
    class Bare(Family):
        pass

    plugins = (
        Plugin("a", "g", "a-paper 1", problem="why"),
        Plugin("b", "g", "", 3),
        Plugin("c", "g", "", problem="how"),
    )
    monkeypatch.setattr("harness.config.family.load_plugins", lambda: plugins)
    with pytest.raises(UnknownKindError) as caught:
        Bare.read("x" * 65)
    assert str(caught.value) == (
        f"needs the kind '{'x' * 64}', which no installed paper offers: allowed bare kinds: none; "
        "'a' of a-paper 1 cannot be loaded: why; 'c' cannot be loaded: how"
    )


class Part(Config):
    dim: PositiveInt
    depth: PositiveInt = 1


class Whole(Config):
    one: Part
    two: Part
    alpha: float = 1.0


def test_a_field_of_two_parts_is_named_by_its_path():
    whole = Whole(one=Part(dim=1), two=Part(dim=2))
    for ask in (lambda: whole.but(dim=3), lambda: whole.value_of("dim")):
        with pytest.raises(SpecError, match=r"'dim' is in one and in two: use its path, 'one\.dim' or 'two\.dim'"):
            ask()
    assert whole.but("two.dim", 48) == Whole(one=Part(dim=1), two=Part(dim=48))
    assert whole.but("two.dim", 48, alpha=2).alpha == 2
    assert (whole.value_of("one.dim"), whole.value_of("two.dim"), whole.value_of("alpha")) == (1, 2, 1.0)
    for ask in (lambda: whole.but("three.dim", 1), lambda: whole.value_of("three.dim")):
        with pytest.raises(SpecError, match=r"unknown part of Whole in 'three\.dim' 'three'"):
            ask()
    with pytest.raises(SpecError, match="unknown field of Part 'dimm': did you mean 'dim'"):
        whole.but("one.dimm", 1)


def test_a_part_that_is_replaced_takes_further_changes():
    whole = Whole(one=Part(dim=1), two=Part(dim=2))
    with pytest.raises(SpecError, match="is in one and in two"):
        whole.but(one=Part(dim=5), depth=3)
    assert Holder(part=Part(dim=1)).but(part=Part(dim=5), depth=3).part == Part(dim=5, depth=3)


class Holder(Config):
    part: Part


def test_configurations_with_dictionaries_have_a_hash():
    class Named(Config):
        parts: dict[str, Part]

    one, other = (Named(parts={"a": Part(dim=dim)}) for dim in (1, 2))
    assert len({one, other, Named(parts={"a": Part(dim=1)})}) == 2


def test_capabilities_and_passes_have_one_protocol_each():
    mine = Capability("regressor", "mine:Regressor")
    assert mine == "regressor" and Capability("regressor", "mine:Regressor") == mine
    with pytest.raises(SpecError, match="capability 'regressor' belongs to mine:Regressor"):
        Capability("regressor", "other:Regressor")
    with pytest.raises(SpecError, match="pass 'logits' belongs to harness"):
        Pass("logits", "mine:Logits")


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ({"generator"}, "declares 'generator', but dict lacks a member of harness.methods.base:Generator: sample"),
        ({"clasifier"}, "unknown capability of method 'mine' 'clasifier': did you mean 'classifier'?"),
        ({"lost"}, "implementation 'nowhere:Lost' cannot be imported"),
        (["lost", "generator"], "declares 'generator', but dict lacks a member of"),
        (["zoo", "classifierr", "generator"], "unknown capability of method 'mine' 'classifierr'"),
    ],
)
def test_an_implementation_must_match_its_configuration(names, part):
    Capability("lost", "nowhere:Lost")
    with pytest.raises(SpecError) as caught:
        Capability.check({}, names, "method 'mine'")
    assert part in str(caught.value)


def test_a_run_names_no_capability_or_pass_that_nobody_has_registered():
    class Odd(Classification):
        kind: Literal["odd"] = "odd"
        capabilities: ClassVar[frozenset[str]] = frozenset({"clasifier"})

    class Odder(Classification):
        kind: Literal["odder"] = "odder"
        passes: ClassVar[frozenset[str]] = frozenset({"logit"})

    parts = {Odd(): "capability of method 'odd' 'clasifier'", Odder(): "pass of method 'odder' 'logit'"}
    for method, part in parts.items():
        with pytest.raises(SpecError, match=f"unknown {part}: did you mean"):
            HYBRID.but(method=method)


def test_every_family_knows_what_it_is_called():
    families = [cls for cls in Family.__subclasses__() if cls.__module__.startswith("harness.")]
    assert {family.role for family in families} >= {"network", "method", "optimizer", "schedule", "loss", "evaluation"}
    assert Accuracy.role == "evaluation"
