"""Papers, exhibits, metrics and plots as data: defaults, groups of rows, and wrong specifications."""

import dataclasses
import pkgutil
from dataclasses import replace
from importlib import import_module

import pytest
from toy_paper import DENOISING, HYBRID, PAPER, TABLES

import harness.registry
from harness.config.evaluations import Accuracy, Generation
from harness.config.samplers import DDIM
from harness.errors import SpecError
from harness.registry import metrics
from harness.registry.claims import bounded, rises
from harness.registry.collisions import Collision, refuse_collisions
from harness.registry.exhibit import ExpectedFailure, Figure, Subtable, Table, plots_of
from harness.registry.figures import (
    AccuracyUnderAttack,
    Agreement,
    ClassExtremes,
    ClassGrids,
    DensityHistograms,
    LearningCurves,
    ReliabilityDiagrams,
    SampleGrids,
    SamplesAtDistances,
    SampleStrips,
)
from harness.registry.metrics import ACCURACY, BPD, ECE, FID, PARAMETERS, Metric, secondary, secondary_metric
from harness.registry.paper import applicable
from harness.registry.row import Row
from harness.registry.scale import PAPER_SCALE, PAPER_SCALES, Scale
from harness.registry.scale_rules import Rules, everywhere
from harness.registry.selection import select_rows


def specifications():
    names = [module.name for module in pkgutil.iter_modules(harness.registry.__path__)]
    modules = [import_module(f"harness.registry.{name}") for name in names]
    return [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and dataclasses.is_dataclass(each) and each.__module__ == module.__name__
    ]


@pytest.mark.parametrize("specification", specifications(), ids=lambda each: each.__name__)
def test_a_specification_cannot_be_changed(specification):
    frozen = object.__new__(specification)
    with pytest.raises(dataclasses.FrozenInstanceError):
        frozen.name = "other"


def test_plots_read_the_arrays_that_they_draw():
    assert {type(plot).__name__: plot.arrays for plot in (
        Agreement(), SampleGrids(), SampleStrips(), SamplesAtDistances(ratio=2), ReliabilityDiagrams(),
        AccuracyUnderAttack(), LearningCurves(), ClassExtremes(classes=()), ClassGrids(index=0),
        DensityHistograms(classes=()),
    )} == {
        "Agreement": {}, "SampleGrids": {"samples": 100}, "SampleStrips": {"samples": 16},
        "SamplesAtDistances": {"samples": 100}, "ReliabilityDiagrams": {"bins": None}, "AccuracyUnderAttack": {},
        "LearningCurves": {}, "ClassExtremes": {"samples": None, "own_logits": None},
        "ClassGrids": {"samples": None, "own_logits": None}, "DensityHistograms": {"samples": None, "own_logits": None},
    }  # fmt: skip
    assert SampleGrids(side=3).arrays == SamplesAtDistances(ratio=2, side=3).arrays == {"samples": 9}
    assert SampleStrips(count=3).arrays == {"samples": 3}
    assert (ClassExtremes(classes=()).count, ClassGrids(index=0).side, DensityHistograms(classes=()).bins) == (
        10, 10, 50
    )  # fmt: skip


def row(label, *reported, run=None, **fields):
    return Row(label, run, reported, **fields)


def table(*rows, columns=(ACCURACY, FID), **fields):
    return Table(number=5, title="t", metrics=columns, rows=rows, **fields)


A, B, C = row("A", 1.0, None), row("B", None, 2.0), row("C", 3.0, 4.0)


def test_plots_are_named_after_their_exhibit():
    two = table(A, plots={"agreement": Agreement(), "own": SampleGrids()}, variant="short")
    assert plots_of(two) == {"table5-short-agreement": Agreement(), "table5-short-own": SampleGrids()}
    assert plots_of(table(A)) == {"table5-agreement": Agreement(), "table5-samples": SampleStrips()}
    figure = Figure(number=2, title="t", metrics=(FID,), rows=(), plot=SampleGrids())
    assert plots_of(figure) == {"figure2": SampleGrids()} and (figure.kind, figure.name) == ("figure", "figure2")
    assert (two.kind, two.name, table(A).name) == ("table", "table5-short", "table5")


def test_a_figure_asks_for_every_metric_of_its_rows():
    figure = Figure(number=2, title="t", metrics=(ACCURACY, FID), rows=(A,), plot=SampleGrids())
    assert figure.asks(A, ACCURACY) and figure.asks(A, FID)
    assert table(A).asks(A, ACCURACY) and not table(A).asks(A, FID)


def test_rows_are_one_block_unless_a_section_has_metrics_of_its_own():
    one = (replace(A, section="s"), replace(C, section="s"))
    assert table(A, C).blocks() == [Subtable("", (A, C), (ACCURACY, FID))]
    assert table(A).blocks() == [Subtable("", (A,), (ACCURACY,))]
    assert table(*one, B).blocks() == [Subtable("", (*one, B), (ACCURACY, FID))], "FID is one of the widest section"
    apart = [Subtable("s", one[:1], (ACCURACY,)), Subtable("", (B,), (FID,))]
    assert table(one[0], B).blocks() == apart
    both = table(replace(A, section="x"), C, columns=(ACCURACY, FID)).blocks()
    assert [(block.caption, block.metrics) for block in both] == [("", (ACCURACY, FID))]
    assert table().blocks() == [Subtable("", (), ())]


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_blank_pattern_of_rows_is_refused_beside_others_too(blank):
    selection = [(PAPER, table(row("A b", 1.0, 1.0)))]
    with pytest.raises(SpecError, match="--rows is blank"):
        select_rows(selection, ["A*", blank])


def test_rows_are_selected_by_a_pattern_else_by_a_part_of_their_key():
    rows = row("ViT(dim=8)", 1.0, 1.0), row("HybViT", 1.0, 1.0, under="big"), row("hybvit", 1.0, 1.0, section="s")
    selected = {
        pattern: [each.key for each in table(*rows).select(pattern)] for pattern in ("VIT*", "*hyb*", "S:", "x")
    }
    assert selected == {"VIT*": ["ViT(dim=8)"], "*hyb*": ["big HybViT", "s: hybvit"], "S:": ["s: hybvit"], "x": []}
    assert table(*rows).select("vit") == rows and table(*rows).row("big HybViT") is rows[1]


def test_more_readings_are_named_after_their_settings():
    more = table(A, readings={"own": {"samples": 3}}).also({"samples": 5, "split": "train"}, {"after": 0.5})
    assert more.readings == {
        "own": {"samples": 3}, "samples=5,split=train": {"samples": 5, "split": "train"}, "after=0.5": {"after": 0.5}
    }  # fmt: skip


def test_an_expected_failure_is_that_of_its_cell():
    expected = (ExpectedFailure("A", ACCURACY, "one"), ExpectedFailure("C", FID, "two"))
    told = [table(A, B, C, expected=expected).expected_to_fail(each, m) for each in (A, C) for m in (ACCURACY, FID)]
    assert told == ["one", "", "", "two"]


WORDS = {"says": "s", "where": "w"}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"best": (ECE,)}, "unknown metric to print bold in table5 'ece': .*allowed: accuracy, fid"),
        ({"best": (PARAMETERS,), "columns": (ACCURACY, PARAMETERS)}, "table5: no value of parameters_m is better than"),
        ({"claims": (bounded(ECE, "A", **WORDS),)}, "unknown metric in a claim of table5 'ece'"),
        ({"claims": (rises(FID, "C", "D", **WORDS),)}, "unknown row in a claim of table5 'D'"),
        ({"claims": (bounded(FID, "A", **WORDS),)}, "table5: a claim needs fid of 'A', which is a dash"),
        ({"expected": (ExpectedFailure("D", FID, "r"),)}, "unknown row in an expectation of table5 'D'"),
        ({"expected": (ExpectedFailure("A", ECE, "r"),)}, "unknown metric in an expectation of table5 'ece'"),
        ({"expected": (ExpectedFailure("A", FID, "r"),)}, "an expectation needs fid of 'A', which is a dash"),
        ({"columns": (ACCURACY, ACCURACY)}, "table5: two metrics have the key 'accuracy'"),
        ({"columns": (ACCURACY,)}, "table5: row 'A' reports 2 values for 1 metrics"),
    ],
)
def test_an_exhibit_that_contradicts_itself_is_refused(fields, says):
    with pytest.raises(SpecError, match=says):
        table(A, B, C, **fields)
    assert table(A, B, C, best=(ACCURACY, FID)).best == (ACCURACY, FID)


@pytest.mark.parametrize("name", ["Toy", "", "all", "papers", "table1", "figure2-x", "to y", "-toy", "toy/x", "tables"])
def test_a_name_that_no_paper_may_have_is_refused(name):
    with pytest.raises(
        SpecError, match=f"invalid paper name '{name}': allowed: .* neither all, figures, papers, tables"
    ):
        replace(PAPER, name=name)


@pytest.mark.parametrize("name", ["tableau", "figures1", "2ndpaper", "a.b_c-d", "mytable1"])
def test_other_names_are_for_papers(name):
    assert replace(PAPER, name=name).name == name


def test_two_exhibits_of_one_name_are_refused():
    with pytest.raises(SpecError, match="paper 'toy' has two exhibits called 'table102'"):
        replace(PAPER, optional=(TABLES[1],))


def test_the_scales_of_a_paper_are_its_own_and_those_in_each_precision():
    assert [scale.name for scale in PAPER_SCALES] == ["paper", "paper-fp32", "paper-tf32", "paper-bf16"]
    assert PAPER.scale("laptop") is PAPER.scales[0] and PAPER.scale("paper") is PAPER_SCALE
    with pytest.raises(SpecError, match="unknown scale 'lptop': did you mean 'laptop'"):
        PAPER.scale("lptop")
    for scale in PAPER_SCALES:
        precision = scale.name.partition("-")[2] or "fp32"
        assert scale.shrink(HYBRID) == HYBRID.but(precision=precision) and scale.comparable
        assert scale.evaluation(Accuracy(), HYBRID) == Accuracy()


def test_an_evaluation_at_a_scale_is_made_once():
    calls = []

    def protocol(evaluation):
        calls.append(evaluation)
        return evaluation.but(after=0.5)

    scale = Scale("s", "", comparable=False, protocol=protocol)
    assert {scale.evaluation(Accuracy(), run) for run in (HYBRID, HYBRID, DENOISING)} == {Accuracy(after=0.5)}
    assert calls == [Accuracy(), Accuracy()]
    assert "after=0.5" not in repr(scale)
    later = replace(scale, protocol=lambda evaluation: evaluation.but(after=0.2))
    assert later.evaluation(Accuracy(), HYBRID) == Accuracy(after=0.2)


def test_a_row_changes_settings_that_an_evaluation_has_or_will_have():
    slow, fast = Generation(), {"sampler": DDIM(), "steps": 3, "sampler.eta": 0.5, "split": "a", "sampler.samples": 1}
    assert applicable(slow, fast) == {"sampler": DDIM(), "steps": 3, "sampler.eta": 0.5}
    assert applicable(slow, {"steps": 3, "sampler.eta": 0.5, "after": 0.5}) == {"after": 0.5}
    assert applicable(slow.but(sampler=DDIM()), {"steps": 3, "sampler.eta": 0.5}) == {"steps": 3, "sampler.eta": 0.5}
    assert applicable(Accuracy(), {"sampler": DDIM(), "steps": 3}) == {}


def test_only_models_with_the_capability_are_evaluated():
    assert PAPER.evaluation(ACCURACY, HYBRID, PAPER_SCALE) == Accuracy()
    assert PAPER.evaluation(ACCURACY, DENOISING, PAPER_SCALE) is None
    assert PAPER.evaluation(ACCURACY, HYBRID, PAPER_SCALE, {"after": 0.5, "samples": 7}) == Accuracy(after=0.5)
    assert PAPER.evaluation(BPD, DENOISING, PAPER_SCALE).kind == "likelihood"


def test_a_collision_names_both_runs_and_what_differs():
    longer = HYBRID.but(epochs=3, schedule={"kind": "constant"})
    assert str(Collision(HYBRID, longer, ("table1, row 'A'", "table2, row 'B'"))) == (
        f"'hybrid' (table1, row 'A') and '{longer.name}' (table2, row 'B'), which differ in training.epochs (2, 3), "
        "training.learning_rate (0.001, None), training.betas ([0.9, 0.999], None), training.eps (1e-08, None), "
        "training.weight_decay (0.05, None), training.min_learning_rate (1e-06, None), "
        "training.warmup_epochs (1.0, None), training.optimizer.kind (None, adamw), "
        "training.optimizer.learning_rate (None, 0.001), training.optimizer.betas (None, [0.9, 0.999]), "
        "training.optimizer.eps (None, 1e-08), training.optimizer.weight_decay (None, 0.05), "
        "training.schedule.kind (None, constant)"
    )


RULES = Rules((everywhere(epochs=1),))


def test_only_rules_of_scales_that_are_not_comparable_must_keep_runs_apart():
    exhibit = table(replace(A, run=HYBRID), replace(C, run=HYBRID.but(epochs=4, warmup_epochs=2)), B)
    for allowed in (
        Scale("s", "", comparable=True, rules=RULES),
        Scale("s", "", comparable=False, shrink=lambda run: HYBRID),
    ):
        refuse_collisions(PAPER, [(exhibit, exhibit.rows)], allowed)
    refuse_collisions(PAPER, [(exhibit, exhibit.rows[:1])], Scale("s", "", comparable=False, rules=RULES))
    with pytest.raises(
        SpecError, match=r"scale 's' of paper 'toy' merges 'hybrid' \(table5, row 'A'\) and 'hybrid epo"
    ):
        refuse_collisions(PAPER, [(exhibit, exhibit.rows)], Scale("s", "", comparable=False, rules=RULES))


def test_a_secondary_quantity_has_one_metric(monkeypatch):
    monkeypatch.setattr(metrics, "_secondary", dict(metrics._secondary))
    mine = Metric("mine", "Mine", "my_quantity", better="lower")
    assert secondary_metric("my_quantity") == Metric("my_quantity", "my_quantity", "my_quantity", better="neither")
    assert secondary(mine) is mine and secondary(replace(mine)) == mine and secondary_metric("my_quantity") == mine
    assert secondary_metric("density").better == "higher"
    with pytest.raises(SpecError, match="the quantity 'my_quantity' is already reported by the metric 'mine'"):
        secondary(replace(mine, key="other"))


def test_metrics_have_the_units_and_decimals_of_the_tables():
    assert metrics.robustness("linf", 8) == Metric(
        "robust_linf_8", "L∞ 8/255", "robust_linf_8", better="higher", unit="%", decimals=1, proportion=True
    )
    assert metrics.robustness("l2", 255).label == "L2 255/255"
    known = [each for each in vars(metrics).values() if isinstance(each, Metric)]
    assert {(each.key, each.unit, each.decimals, each.better, each.noise) for each in known} == {
        ("accuracy", "%", 1, "higher", "absolute"), ("inception_score", "", 2, "higher", "absolute"),
        ("fid", "", 1, "lower", "relative"), ("precision", "", 2, "higher", "absolute"),
        ("recall", "", 2, "higher", "absolute"), ("density", "", 2, "higher", "absolute"),
        ("coverage", "", 2, "higher", "absolute"), ("bpd", "", 2, "lower", "absolute"),
        ("ece", "%", 1, "lower", "absolute"), ("confidence_gap", "%", 1, "neither", "absolute"),
        ("auroc_svhn", "", 2, "higher", "absolute"), ("auroc_interp", "", 2, "higher", "absolute"),
        ("auroc_cifar100", "", 2, "higher", "absolute"), ("auroc_celeba", "", 2, "higher", "absolute"),
        ("parameters_m", "M", 1, "neither", "none"), ("minutes_per_epoch", "", 2, "lower", "relative"),
        ("runtime_hours", "h", 1, "lower", "relative"), ("runtime_text", "", 1, "lower", "relative"),
        ("value", "", 2, "neither", "none"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (0.0951, "0.095"),
        (0.04, "0.040"),
        (-0.0951, "-0.095"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
    ],
)
def test_a_value_below_the_last_decimal_has_two_digits(value, text):
    assert FID.measured(value) == text
