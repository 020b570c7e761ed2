"""From a row to its cells: the paper's protocol, the row's changes, the scale, the readings; and errors."""

from dataclasses import replace
from typing import ClassVar, Literal

import pytest
from toy_paper import HYBRID

from harness.config.changes import over, times
from harness.config.evaluations import Accuracy, Evaluation, Generation, OutOfDistribution
from harness.config.samplers import DDIM
from harness.data.catalogue import MOSAICS
from harness.doctor.check import CheckState
from harness.doctor.papers import check_papers
from harness.errors import SpecError
from harness.launch.plan import make_plan
from harness.registry.cells import cells
from harness.registry.collisions import collisions
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, AUROC_INTERP, ECE, FID, Metric
from harness.registry.paper import GpuHours, Paper
from harness.registry.row import Row
from harness.registry.scale import PAPER_SCALE, Scale
from harness.registry.scale_rules import Rules, everywhere
from harness.store.results import Results

GENERATION = Generation(samples=1000, neighbours=3)
PROTOCOLS = {ACCURACY: Accuracy(), FID: GENERATION, AUROC_INTERP: OutOfDistribution()}
SMALL = Scale(
    "small",
    "A tenth of the samples.",
    comparable=False,
    rules=Rules((everywhere(samples=over(10), sampler_steps=over(5), epochs=times(0.5), timesteps=over(2)),)),
)


def table(*rows, metrics=(ACCURACY, FID), **fields):
    return Table(number=1, title="t", metrics=metrics, rows=rows, **fields)


def paper(exhibit, protocol=lambda metric, run: PROTOCOLS[metric], scale=SMALL, **fields):
    return Paper("toy", "A toy", "", tables=(exhibit,), protocol=protocol, scales=(scale,), **fields)


def found(exhibit, scale=SMALL, **fields):
    """Return what measures the cells of an exhibit, by row, metric and reading."""
    made = cells(paper(exhibit, scale=scale, **fields), exhibit, exhibit.rows, scale, [0])
    return {(cell.row.label, cell.metric.key, cell.reading): cell.evaluation for cell in made}


def row(label="A", run=HYBRID, reported=(1.0, 2.0), **fields):
    return Row(label, run, reported, **fields)


def test_a_row_changes_the_protocol_before_the_scale_does():
    fast = {"sampler": DDIM(steps=50), "samples": 500}
    evaluations = found(table(row(), row("B", protocol=fast)))
    assert evaluations["A", "fid", ""] == GENERATION.but(samples=100)
    assert evaluations["B", "fid", ""] == GENERATION.but(samples=50, sampler=DDIM(steps=10))
    at_paper_scale = found(table(row(protocol=fast)), PAPER_SCALE)["A", "fid", ""]
    assert (at_paper_scale.samples, at_paper_scale.sampler) == (500, DDIM(steps=50))


@pytest.mark.parametrize("name", ["steps", "sampler.steps"])
def test_a_row_changes_settings_of_parts(name):
    fast = found(table(row(protocol={"sampler": DDIM(steps=50), name: 20})))["A", "fid", ""]
    slow = GENERATION.but(sampler=DDIM(steps=50))
    changed = found(table(row(protocol={name: 20}, reported=(None, 1.0))), protocol=lambda *_: slow)["A", "fid", ""]
    assert fast == changed == GENERATION.but(samples=100, sampler=DDIM(steps=4))


def test_a_row_changes_the_evaluations_that_have_the_setting():
    evaluations = found(table(row(protocol={"samples": 500, "after": 0.5})))
    assert evaluations["A", "accuracy", ""] == Accuracy(after=0.5)
    assert evaluations["A", "fid", ""] == GENERATION.but(samples=50, after=0.5)


def test_what_a_row_has_no_cell_of_has_no_say_in_its_settings():
    rows = (row(protocol={"split": "train"}, reported=(1.0, None)),)
    assert found(table(*rows))["A", "accuracy", ""] == Accuracy(split="train")
    with pytest.raises(SpecError, match=r"unknown setting in the row's protocol 'samples': .*allowed: after, split"):
        found(table(row(protocol={"samples": 5}, reported=(1.0, None))))


def test_readings_are_said_in_full_at_every_scale():
    evaluations = found(table(row(protocol={"after": 0.5})).also({"samples": 200}, {"split": "train"}))
    assert evaluations["A", "fid", "samples=200"] == GENERATION.but(samples=200, after=0.5)
    assert evaluations["A", "accuracy", "split=train"] == Accuracy(split="train", after=0.5)
    assert ("A", "fid", "split=train") not in evaluations


def test_rules_come_before_the_scales_own_functions():
    scale = replace(
        SMALL,
        shrink=lambda run: run.with_config(epochs=run.config.training.epochs + 1),
        protocol=lambda evaluation: evaluation.but(after=0.5),
    )
    for each in (scale, replace(scale, note="the same, made anew")):
        assert each.shrink(HYBRID.but(epochs=10)).config.training.epochs == 6
        assert each.evaluation(GENERATION, HYBRID) == GENERATION.but(samples=100, after=0.5)
    assert replace(scale, rules=None).shrink(HYBRID.but(epochs=10)).config.training.epochs == 11
    assert SMALL.shrink(HYBRID) is SMALL.shrink(HYBRID.called("again"))


def test_cells_are_ordered_by_row_seed_metric_and_reading():
    exhibit = table(row(), row("B", run=None), row("C", reported=(1.0, None))).also({"split": "train"})
    made = list(cells(paper(exhibit), exhibit, exhibit.rows, SMALL, [0, 2]))
    assert [(cell.row.label, cell.seed, cell.metric.key, cell.reading) for cell in made] == [
        ("A", 0, "accuracy", ""), ("A", 0, "accuracy", "split=train"), ("A", 0, "fid", ""),
        ("A", 2, "accuracy", ""), ("A", 2, "accuracy", "split=train"), ("A", 2, "fid", ""),
        ("C", 0, "accuracy", ""), ("C", 0, "accuracy", "split=train"),
        ("C", 2, "accuracy", ""), ("C", 2, "accuracy", "split=train"),
    ]  # fmt: skip
    assert [cell.run.name for cell in made[:4]] == ["hybrid"] * 3 + ["hybrid seed=2"]
    assert {cell.original for cell in made} == {HYBRID} and made[0].run == SMALL.shrink(HYBRID)
    assert found(table(row(protocol={"samples": 5}, reported=(None, None)))) == {}


def raising(*_):
    raise RuntimeError("two\nlines")


UNMEASURED = Metric("loss", "loss", "loss", better="lower")


@pytest.mark.parametrize(
    ("exhibit", "fields", "message"),
    [
        (
            table(row(reported=(1.0,)), metrics=(ECE,)),
            {},
            "toy/table1, row 'A': protocol of paper 'toy' for metric 'ece' of run 'hybrid': "
            "missing: add an evaluation that measures 'expected_calibration_error'",
        ),
        (
            table(row()),
            {"protocol": raising},
            r"row 'A': protocol .* 'hybrid': RuntimeError: two lines \(test_cells.py",
        ),
        (table(row()), {"protocol": lambda *_: {}["x"]}, r"row 'A': protocol .*: KeyError: 'x' \(test_cells.py, line"),
        (table(row()), {"protocol": lambda *_: None}, "row 'A': protocol .*: the result is None, not an Evaluation"),
        (table(row()), {"protocol": lambda metric: Accuracy()}, "row 'A': protocol of paper 'toy' .*: TypeError"),
        (
            table(row(reported=(1.0,)), metrics=(UNMEASURED,)),
            {"protocol": lambda *_: Accuracy()},
            "toy/table1, row 'A': protocol of metric 'loss': evaluation 'accuracy' does not measure 'loss': "
            "it measures accuracy",
        ),
        (
            table(row(protocol={"smaples": 5})),
            {},
            "toy/table1, row 'A': unknown setting in the row's protocol 'smaples': did you mean 'samples'",
        ),
        (table(row(protocol={"samples": -5})), {}, "toy/table1, row 'A': Generation: samples=-5: "),
        (
            table(row()),
            {"scale": Scale("s", "", comparable=False, shrink=raising)},
            "toy/table1, row 'A': scale 's' of run 'hybrid': RuntimeError: two lines",
        ),
        (
            table(row()),
            {"scale": Scale("s", "", comparable=False, shrink=lambda run: run.config)},
            "row 'A': scale 's' of run 'hybrid': the result of shrink is a RunConfig, not a Run",
        ),
        (
            table(row()),
            {"scale": Scale("s", "", comparable=False, protocol=lambda evaluation: None)},
            "row 'A': scale 's' of 'accuracy' of run 'hybrid': the result of protocol is None, not an Evaluation",
        ),
        (
            table(row()),
            {"scale": Scale("s", "", comparable=False, rules=Rules((), {"cifar10": MOSAICS}))},
            "row 'A': scale 's' of run 'hybrid': dataset 'digits' has no stand-in: allowed: cifar10",
        ),
    ],
)
def test_what_is_wrong_with_a_specification_names_the_row_on_one_line(exhibit, fields, message):
    with pytest.raises(SpecError, match=message) as raised:
        found(exhibit, **fields)
    assert "\n" not in str(raised.value)


def test_labels_that_cannot_be_asked_for_are_said_on_one_line(monkeypatch):
    monkeypatch.setattr(Accuracy, "labels", raising)
    with pytest.raises(SpecError, match=r"row 'A': labels of evaluation 'accuracy': RuntimeError: two lines"):
        found(table(row()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scale("s", "", comparable=False, shrink={}), "shrink of scale 's' is a dict, not a function of a run"),
        (lambda: Scale("s", "", comparable=False, protocol=1), "protocol of scale 's' is an int, not a function of an"),
        (lambda: Scale("s", "", comparable=False, rules=()), "rules of scale 's' is a tuple, not a Rules"),
        (lambda: paper(table(row()), protocol=PROTOCOLS), "protocol of paper 'toy' is a dict, not a function of a"),
        (lambda: paper(table(row()), gpu_hours=3), "gpu_hours of paper 'toy' is an int, not a function of a run"),
    ],
)
def test_what_is_no_function_is_refused_at_once(make, message):
    with pytest.raises(SpecError, match=message):
        make()


@pytest.mark.parametrize(
    ("gpu_hours", "message"),
    [(raising, "RuntimeError: two lines"), (lambda run: 3.5, "the result is a float, not a GpuHours")],
)
def test_hours_that_cannot_be_told_are_said_on_one_line(tmp_path, gpu_hours, message):
    broken = paper(table(row()), gpu_hours=gpu_hours)
    with pytest.raises(SpecError, match=f"gpu_hours of paper 'toy' for run 'hybrid': {message}"):
        make_plan([(broken, broken.tables[0])], "paper", 1, (), Results(tmp_path))
    assert paper(table(row())).reported_hours(HYBRID) is None
    hours = GpuHours(3.5, "stated")
    assert paper(table(row()), gpu_hours=lambda run: hours).reported_hours(HYBRID) == hours


def test_rules_that_make_one_run_of_two_are_refused(tmp_path):
    longer = HYBRID.but(epochs=40)
    exhibit = table(row(run=longer), row("B", run=longer.but(epochs=41)), row("same", run=longer))
    (collision,) = collisions([(exhibit, exhibit.rows)], SMALL)
    assert (collision.first, collision.second) == (longer, longer.but(epochs=41))
    both = paper(exhibit)
    with pytest.raises(SpecError, match=r"merges 'hybrid epochs=40' \(table1, row 'A'\) and .*epochs \(40, 41\)"):
        make_plan([(both, exhibit)], "small", 1, (), Results(tmp_path))
    assert len(make_plan([(both, exhibit)], "small", 1, ("A",), Results(tmp_path)).runs) == 1
    assert len(make_plan([(both, exhibit)], "paper", 1, (), Results(tmp_path)).runs) == 2


def test_the_doctor_names_a_paper_whose_scale_makes_one_run_of_two(monkeypatch):
    exhibit = table(row(run=HYBRID.but(epochs=40)), row("B", run=HYBRID.but(epochs=41)))
    monkeypatch.setattr("harness.doctor.papers.papers", lambda: {"toy": paper(exhibit)})
    check = check_papers()
    assert check.state is CheckState.DEGRADED
    assert check.says.startswith("none; paper 'toy' of ")
    assert "cannot be used: scale 'small' of paper 'toy' merges 'hybrid epochs=40'" in check.says


def test_two_precisions_may_become_one_where_all_runs_get_the_same(tmp_path):
    exhibit = table(row(), row("B", run=HYBRID.but(precision="bf16")))
    assert len(make_plan([(paper(exhibit), exhibit)], "paper-bf16", 1, (), Results(tmp_path)).runs) == 1


@pytest.mark.parametrize(
    ("rows", "protocols", "says"),
    [
        (row(), {ACCURACY: Accuracy(split="tset")}, "evaluation 'accuracy': unknown split of dataset 'digits' 'tset'"),
        (row(run=HYBRID.but(batch_size=2000)), {}, "batch_size=2000 exceeds the 1,437 training examples of 'digits'"),
        (row(), {ACCURACY: "mine"}, "unknown capability of evaluation 'mine' 'clasifier': did you mean 'classifier'?"),
        (row(), {ACCURACY: "mute"}, "labels of evaluation 'mute': returns None, not a mapping from quantities"),
        (row(), {ACCURACY: "silent"}, "NotImplementedError: Silent does not define the labels of its quantities"),
    ],
)
def test_what_could_not_be_measured_is_said_before_anything_is_trained(monkeypatch, rows, protocols, says):
    monkeypatch.setattr(Evaluation, "kinds", dict(Evaluation.kinds))

    class Mine(Accuracy):
        kind: Literal["mine"] = "mine"
        needs: ClassVar[frozenset[str]] = frozenset({"clasifier"})

    class Silent(Evaluation):
        kind: Literal["silent"] = "silent"

    class Mute(Evaluation):
        kind: Literal["mute"] = "mute"

        def labels(self, data):
            return None

    own = {"mute": Mute(), "mine": Mine(), "silent": Silent()}
    chosen = {metric: own.get(each, each) for metric, each in protocols.items()}
    with pytest.raises(SpecError) as caught:
        found(table(rows), protocol=lambda metric, run: {**PROTOCOLS, **chosen}[metric])
    assert str(caught.value).startswith("toy/table1, row 'A': ") and says in str(caught.value)


def test_two_metrics_of_an_exhibit_have_two_keys():
    with pytest.raises(SpecError, match="table1: two metrics have the key 'accuracy'"):
        table(row(), metrics=(ACCURACY, Metric("accuracy", "Top-2", "top_two", better="higher")))
