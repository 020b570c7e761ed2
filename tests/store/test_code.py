"""The code that measured a run, and which runs are stale because of it."""

import json
import sys
from datetime import UTC, datetime
from typing import ClassVar, Literal

import pytest
from forgetting import forget
from installed_forms import editable_by_a_path, write
from toy_paper import HYBRID, PROTOCOLS

from harness.config.feature_spaces import ClassifierSpace, FeatureSpace
from harness.config.optimisation import Optimizer
from harness.store.code import cache_of, code_of, describe_other_code, other_code
from harness.store.distributions import installed
from harness.store.records import DistributionRecord, Segment

KINDS = """
from typing import ClassVar, Literal
from harness.config.feature_spaces import FeatureSpace
from harness.config.optimisation import Optimizer

class Slow(Optimizer):
    kind: Literal["brew.slow"] = "brew.slow"
    implementation: ClassVar[str] = "torch.optim:SGD"
    learning_rate: float = 0.1

class Filter(FeatureSpace):
    kind: Literal["brew.filter"] = "brew.filter"
    implementation: ClassVar[str] = "brew_nn:filter"
"""


@pytest.fixture
def brew(monkeypatch, tmp_path):
    """Install the small distribution with an optimiser and a feature space; return its kinds."""
    for folder in editable_by_a_path(tmp_path):
        monkeypatch.syspath_prepend(str(folder))
    write(tmp_path / "project/src", {"brew/kinds.py": KINDS})
    forget()
    import brew.kinds

    yield brew.kinds
    for family in (Optimizer, FeatureSpace):
        for kind in [name for name in family.kinds if name.startswith("brew.")]:
            del family.kinds[kind]
    for module in [name for name in sys.modules if name.partition(".")[0] in ("brew", "brew_tools", "brew_nn")]:
        del sys.modules[module]
    monkeypatch.undo()
    forget()


def stay(sha256="1" * 64, name="brew-paper", **fields):
    codes = (DistributionRecord(name=name, version="1", sha256=sha256),) if name else ()
    where = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}
    return Segment(started=datetime.now(UTC), seconds=1.0, distributions=codes, **where, **fields)


def test_a_run_uses_the_distributions_of_its_kinds_and_no_others(brew):
    assert [found.name for found in code_of([HYBRID.config, *PROTOCOLS.values()])] == ["paper-harness"]
    slow = HYBRID.config.but(optimizer=brew.Slow())
    own, ours = installed("paper-harness"), installed("brew-paper")
    assert code_of([slow]) == tuple(
        DistributionRecord(name=f.name, version=f.version, commit=f.commit, dirty=f.dirty, sha256=f.sha256)
        for f in (ours, own)
    )
    nested = HYBRID.config.but(player_optimizers={"network": brew.Slow()})
    assert [found.name for found in code_of([nested])] == ["brew-paper", "paper-harness"]


def test_a_kind_whose_implementation_is_of_another_distribution_is_of_both(brew):
    class Abroad(FeatureSpace):
        __module__ = "harness.config.feature_spaces"
        kind: Literal["brew.abroad"] = "brew.abroad"
        implementation: ClassVar[str] = "brew_nn:filter"

    assert [found.name for found in code_of([Abroad()])] == ["brew-paper", "paper-harness"]


def test_what_a_foreign_space_keeps_is_of_its_very_code(brew, tmp_path):
    assert cache_of(ClassifierSpace(), tmp_path) == tmp_path
    kept = cache_of(brew.Filter(), tmp_path)
    assert kept == tmp_path / f"brew-paper-{installed('brew-paper').sha256[:12]}"


@pytest.mark.parametrize(
    ("stays", "is_stale"),
    [
        ([], False),
        ([{"name": None, "first_step": 0, "steps": 9}], False),  # of a version that did not record it
        ([{"first_step": 0, "steps": 9}], True),
        ([{"first_step": 0, "steps": 0}], False),  # it failed in its first step
        ([{}], False),  # it failed before
        ([{"evaluations": {"accuracy-1": 1.0}}], True),
        ([{"first_step": 0, "steps": 9}, {"first_step": 0, "steps": 9, "now": True}], False),  # lost, and redone
        (
            [{"first_step": 0, "steps": 0}, {"first_step": 5, "steps": 9, "now": True}],
            True,
        ),  # killed
        ([{"first_step": 0, "steps": 9}, {"first_step": 5, "steps": 9, "now": True}], True),
        ([{"first_step": 0, "steps": 9, "now": True}, {"evaluations": {"a": 1.0}}], True),
        ([{"evaluations": {"a": 1.0}}, {"evaluations": {"a": 1.0}, "now": True}], False),  # its record was deleted
        ([{"evaluations": {"a": 1.0, "b": 1.0}}, {"evaluations": {"a": 1.0}, "now": True}], True),
        ([{"name": "paper-harness", "first_step": 0, "steps": 9}], False),  # has revisions, and tests
        ([{"name": "not-installed-here", "first_step": 0, "steps": 9}], False),
    ],
)
def test_a_run_is_stale_while_anything_of_it_is_of_other_code(brew, stays, is_stale):
    now = installed("brew-paper").sha256
    segments = [stay(**({"sha256": now} if fields.pop("now", False) else {}), **fields) for fields in map(dict, stays)]
    assert other_code(segments) == (("brew-paper",) if is_stale else ())


def test_a_sentence_names_the_distributions_and_few_runs():
    assert describe_other_code({}) == ""
    one = "1 run was measured with other code of mixup than is installed now (1)"
    assert describe_other_code({"1": ["mixup"]}) == one
    several = {str(number): ["mixup", "brew"] for number in range(5)}
    says = "5 runs were measured with other code of brew and mixup than is installed now (0, 1, 2, ...)"
    assert describe_other_code(several) == says
    three = {str(number): ["mixup"] for number in range(3)}
    assert describe_other_code(three).endswith(
        "3 runs were measured with other code of mixup than is installed now (0, 1, 2)"
    )


def test_segments_of_earlier_versions_are_read(tmp_path):
    path = tmp_path / "1.json"
    stay().save(path)
    document = json.loads(path.read_text())
    assert document.pop("distributions")[0]["name"] == "brew-paper"
    path.write_text(json.dumps(document))
    assert Segment.load(path).distributions == ()
