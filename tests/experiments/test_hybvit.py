"""The specification of HybViT: rows, runs, their cost, and the paper's claims checked on its own printed values."""

from collections import Counter

import pytest
from curves import draw
from reports import fill

from harness.config.run import Run
from harness.launch.plan import make_plan
from harness.registry.cells import cells
from harness.registry.papers import find_exhibits
from harness.registry.scale import PAPER_SCALE
from harness.report.results.claims import ClaimStatus, decide_printed
from harness.report.results.report import build
from harness.store.results import Results
from harness_papers.hybvit import PAPER, baselines, energy_baselines, figures, table5, table9, table12

LAPTOP = PAPER.scale("laptop")
TABLES = {table.number: table for table in PAPER.tables}
MODELS = {1: 8, 2: 16, 3: 5, 4: 2, 5: 9, 6: 13, 7: 8, 8: 10, 10: 4, 11: 10, 12: 8, 13: 3}
BASELINES = {run for module in (baselines, energy_baselines) for run in vars(module).values() if isinstance(run, Run)}
ROWS = {1: 15, 2: 26, 3: 8, 4: 6, 5: 9, 6: 13, 7: 8, 8: 14, 9: 11, 10: 4, 11: 14, 12: 8, 13: 5}


def plan(tmp_path, scale, *further):
    return make_plan(find_exhibits(["hybvit", *further]), scale, 1, (), Results(tmp_path))


def test_every_table_has_all_its_rows():
    assert {number: len(table.rows) for number, table in TABLES.items()} == ROWS
    measured = {number: sum(row.run is not None for row in table.rows) for number, table in TABLES.items()}
    assert {number: count for number, count in measured.items() if count} == MODELS


def test_own_rows_and_the_baselines_have_runs():
    used = set()
    for exhibit in PAPER.exhibits:
        for row in exhibit.rows:
            measured = row.run is not None or row.setting is not None
            assert measured or row.source != "own", (exhibit.name, row.key)
            assert (row.source == "own") != (row.run in BASELINES) or not measured, (exhibit.name, row.key)
            used.add(row.run)
    assert used >= BASELINES


def test_every_panel_of_a_figure_is_measured():
    assert all(row.run for figure in PAPER.figures for row in figure.rows)


def test_every_result_figure_is_there():
    assert [figure.number for figure in PAPER.figures] == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, *range(15, 25)]
    assert [exhibit.name for exhibit in PAPER.optional] == ["table2-celeba", "table5-schedules", "figure14"]


@pytest.mark.parametrize("scale", ["paper", "laptop"])
def test_all_is_47_distinct_runs_at_every_scale(tmp_path, scale):
    assert len(plan(tmp_path, scale).runs) == 47


def test_the_runs_and_their_cost_at_paper_scale(tmp_path):
    planned = {p.run.name: p for p in plan(tmp_path, "paper").runs}
    sources = Counter(p.gpu_hours.source for p in planned.values())
    assert sources == {"stated": 12, "reused": 7, "estimated": 28}
    assert sum(p.gpu_hours.hours for p in planned.values()) == pytest.approx(1050 + 450, abs=60)
    stated = sum(p.gpu_hours.hours for p in planned.values() if p.gpu_hours.source == "stated")
    assert stated == pytest.approx(398.9 + 5.2 + 101.3 + 150 * 20.4 / 60 + 64.3)
    data = Counter(p.run.config.data.name for p in planned.values())
    assert data == {"cifar10": 23, "cifar100": 4, "tiny_imagenet": 3, "stl10": 12, "imagenet32": 4, "celebahq128": 1}


@pytest.mark.parametrize(
    ("name", "parameters", "iterations"),
    [
        ("hybvit", 11_185_068, 585_500),
        ("hybvit dim=192", 3_125_100, 585_500),
        ("genvit dim=768", 43_230_252, 585_500),
        ("hybvit depth=6", 7_535_118, 585_500),
        ("hybvit depth=12", 14_835_018, 585_500),
        ("vit cifar100", 11_219_718, 585_500),
        ("hybvit tiny", 11_368_954, 1_171_500),
        ("hybvit stl10 epochs=2500", 12_929_884, 292_500),
        ("hybvit stl10 patch_size=4", 41_107_372, 58_500),
        ("hybvit stl10 patch_size=6", 17_045_352, 58_500),
        ("hybvit stl10 patch_size=12", 11_480_364, 58_500),
        ("genvit stl10 dim=576", 26_430_364, 58_500),
        ("genvit stl10 dim=768", 45_239_260, 58_500),
        ("genvit imagenet32", 11_566_218, 3_002_700),
        ("genvit celebahq", 17_109_948, 351_500),
        ("wrn-28-10", 36_479_194, 78_000),
        ("jem", 36_471_338, 78_000),
        ("jem++ m=10", 36_489_290, 58_500),
        ("vera", 40_550_830, 78_000),
        ("ddpm", 35_746_307, 799_890),
    ],
)
def test_parameters_and_iterations_to_the_last_digit(tmp_path, name, parameters, iterations):
    run = next(p.run for p in plan(tmp_path, "paper").runs if p.run.name == name)
    assert (run.parameters, run.iterations) == (parameters, iterations)


def test_the_preliminary_runs_of_figure_14():
    runs = [row.run for row in figures.FIGURE14.rows]
    assert [run.parameters for run in runs] == [25_952_538, 83_777_736]
    assert len({LAPTOP.shrink(run).id for run in runs}) == 2


def test_table_5_with_schedules_of_its_own_makes_6_runs_more(tmp_path):
    assert len(plan(tmp_path, "paper", "table5-schedules").runs) == 47 + 6
    assert table5.SCHEDULES.rows[0].reported == table5.TABLE.rows[0].reported


def test_tables_3_and_11_agree_where_they_repeat_each_other():
    upper = [row for row in TABLES[11].rows if row.section == "log p(x)"]
    assert [row.reported for row in upper] == [row.reported for row in TABLES[3].rows]
    scores = {cell.evaluation.score.kind for cell in cells(PAPER, TABLES[11], TABLES[11].rows, PAPER_SCALE, [0])}
    assert scores == {"log_density", "max_probability"}


def test_every_attack_stands_beside_a_tuned_one():
    found = list(cells(PAPER, TABLES[12], TABLES[12].rows[:1], PAPER_SCALE, [0]))
    by_reading = {
        reading: {c.evaluation for c in found if c.reading == reading and c.metric.key == "robust_linf_4"}
        for reading in ("", "tuned PGD")
    }
    (paper,), (tuned,) = by_reading.values()
    assert (paper.step_size, paper.restarts, paper.steps, paper.images) == (20, 1, 50, 1000)
    assert (tuned.step_size, tuned.restarts, tuned.epsilons) == (None, 5, paper.epsilons)
    assert [c.reading for c in found if c.metric.key == "accuracy"] == [""]


def test_blocks_of_table_12_measure_their_own_norm_only():
    for cell in cells(PAPER, TABLES[12], TABLES[12].rows, LAPTOP, [0]):
        norm = {"L∞": "linf", "L2": "l2"}[cell.row.section]
        assert cell.metric.key == "accuracy" or norm in cell.metric.key


def test_hyper_parameters_are_read_from_the_configurations(tmp_path):
    report = build(PAPER, table9.TABLE, PAPER_SCALE, Results(tmp_path))
    found = {row.row.label: (row.cells[0].measured.value, row.cells[0].verdict.value) for row in report.rows}
    assert found.pop("Learning rate") == ("0.001", "XFAIL")
    assert {verdict for _, verdict in found.values()} == {"PASS"}
    assert found["Patch Size"][0] == "4, 8"


def printed(number, says):
    """Return the decisions, on the paper's own values, of the claims whose text contains these words."""
    exhibit = TABLES[number]
    return {decide_printed(claim, exhibit) for claim in exhibit.claims if says in claim.says}


@pytest.mark.parametrize(
    ("number", "says", "status"),
    [
        (1, "in accuracy", ClaimStatus.HOLDS),
        (3, "SVHN", ClaimStatus.HOLDS),
        (3, "CIFAR100", ClaimStatus.FAILS),
        (3, "CelebA", ClaimStatus.FAILS),
        (5, "accuracy gap", ClaimStatus.HOLDS),
        (7, "plateaus", ClaimStatus.HOLDS),
        (1, "JEM", ClaimStatus.HOLDS),
        (8, "twice", ClaimStatus.HOLDS),
        (8, "5 times", ClaimStatus.HOLDS),
        (10, "essential", ClaimStatus.HOLDS),
        (12, "under L2 (", ClaimStatus.HOLDS),
        (12, "larger under L2", ClaimStatus.HOLDS),
        (13, "single GPU", ClaimStatus.HOLDS),
    ],
)
def test_the_printed_values_decide_claims(number, says, status):
    assert printed(number, says) == {status}


def decided(tmp_path, number, value):
    """Return the decisions of a table's claims at laptop scale, for three seeds with these values."""
    fill(Results(tmp_path), PAPER, TABLES[number], LAPTOP, seeds=3, value=value)
    draw(Results(tmp_path), test_accuracy=[60.0] * 10, denoising=[0.2] * 10)
    report = build(PAPER, TABLES[number], LAPTOP, Results(tmp_path))
    return {decision.claim.says: decision for decision in report.claim_results}


def test_claims_about_rerun_models_go_by_what_is_measured(tmp_path):
    """At laptop scale, unlike the printed values; a comparison with a cited model is undecided there."""
    values = {"HybViT": 10, "WRN-28-10": 70}
    found = decided(tmp_path, 1, lambda cell: values.get(cell.row.label, 60) + cell.seed / 10)
    statuses = {says: (decision.status, decision.printed) for says, decision in found.items()}
    accuracy = "HybViT outperforms JEM (K=20) and JEM++ (M=20), the best other hybrid models, in accuracy."
    assert statuses.pop(accuracy) == (ClaimStatus.FAILS, ClaimStatus.HOLDS)
    assert statuses.pop("HybViT outperforms JEM (K=20) and JEM++ (M=20) in FID.") == (
        ClaimStatus.HOLDS,
        ClaimStatus.HOLDS,
    )
    ddpm = "The quality of synthesis is worse than that of the UNet-based DDPM."
    assert statuses.pop(ddpm) == (ClaimStatus.FAILS, ClaimStatus.HOLDS)
    assert [says for says, (status, _) in statuses.items() if status is ClaimStatus.UNDECIDED] == [
        "HybViT outperforms the best other single hybrid model in FID."
    ]


@pytest.mark.parametrize(("times", "status"), [(5.5, ClaimStatus.HOLDS), (4.5, ClaimStatus.FAILS)])
def test_an_epoch_of_jem_is_compared_with_one_of_hybvit(tmp_path, times, status):
    slow = {"JEM(K=20)": times, "JEM++(K=10)": 6.0}
    found = decided(tmp_path, 8, lambda cell: slow.get(cell.row.label, 1.0) * (1 + cell.seed / 1000))
    by_name = {
        name: found[f"An epoch of {name} takes at least 5 times as long as HybViT's."] for name in ("JEM", "JEM++")
    }
    assert {decision.printed for decision in by_name.values()} == {ClaimStatus.HOLDS}
    assert (by_name["JEM"].status, by_name["JEM++"].status) == (status, ClaimStatus.HOLDS)


def test_every_section_with_results_has_claims():
    places = {claim.where for exhibit in PAPER.exhibits for claim in exhibit.claims}
    assert places >= {
        "§5.1", "§5.2.1", "§5.2.2", "§5.2.3", "§5.2.4", "§5.3", "§5.3.1",
        "Appendix C.1", "Appendix C.2", "Appendix C.4", "Appendix C.5", "Appendix C.6",
    }  # fmt: skip


def test_sizes_of_attacks_are_those_of_the_paper():
    keys = [metric.key for metric in table12.TABLE.metrics]
    assert keys[1:9] == [f"robust_linf_{size}" for size in (1, 2, 4, 8, 12, 16, 22, 30)]
    assert keys[9:] == [f"robust_l2_{size}" for size in range(50, 401, 50)]
