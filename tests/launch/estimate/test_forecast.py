"""Estimates of the remaining work of a plan: each comes from measurements and names its source."""

from datetime import UTC, datetime

import pytest
from toy_paper import DENOISING, HYBRID
from vouching import WEIGHTS, vouch

from harness.launch.estimate.forecast import forecast, with_costs
from harness.launch.estimate.observations import Observation, observe
from harness.launch.estimate.target import Target
from harness.launch.estimate.throughput import scaled, speeds_by_device
from harness.launch.plan import make_plan
from harness.launch.rehearsals import rehearsals_of
from harness.registry.papers import find_exhibits
from harness.store.records import EvaluationRecord, Segment, TrainingRecord
from harness.store.rehearsals import RehearsalRecord, RehearsedEvaluation
from harness.store.results import Results

TABLE6 = find_exhibits(["table6"])
HERE, THERE = "This CPU", "That GPU"
SITE = Target(2, device=HERE)
FIRST_STEP = 5.0


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path)


def plan(results, rows=(), scale="laptop"):
    return make_plan(TABLE6, scale, 1, rows, results)


def one(results, row, scale="laptop"):
    (planned,) = plan(results, [row], scale).runs
    return planned


def measure(planned, ms, steps=101, device=HERE, **fields):
    """Write a segment of `steps` steps; all but the first took `ms` milliseconds."""
    planned.request()
    number = len(planned.directory.all_segments()) + 1
    where = {"host": "a", "threads": 1, "commit": None, "dirty": None, "versions": {}, "device_name": device}
    seconds = FIRST_STEP + (steps - 1) * ms / 1000
    training = {"first_step": 0, "steps": steps, "training_seconds": seconds, "first_step_seconds": FIRST_STEP}
    found = {"seconds": seconds, "device": "cuda" if device == THERE else "cpu", **where, **training, **fields}
    Segment(started=datetime.now(UTC), **found).save(planned.directory.segments / f"{number}.json")


def finish_training(planned):
    record = TrainingRecord(iterations=planned.run.iterations, parameters=1, weights_sha256="", data_sha256="")
    record.save(planned.directory.training)


def estimate(results, row, place=SITE, scale="laptop"):
    found = plan(results, [row], scale)
    return forecast(found, results, place).estimates[found.runs[0].run.id]


def training_seconds(results, row, ms, ranks=1):
    """Return the device seconds of a segment with all steps, plus all evaluations at training speed."""
    planned = one(results, row)
    run = planned.run
    flops = sum(evaluation.work(run.config).total for evaluation in planned.evaluations.values())
    return ranks * (FIRST_STEP + ms / 1000 * (run.iterations + flops / (run.train_flops / run.iterations)))


def test_without_a_measurement_nothing_is_claimed(results):
    found = forecast(plan(results), results, SITE)
    assert {e.seconds for e in found.estimates.values()} == {None}
    assert found.to_json()["unknown"] == 13
    assert found.lines() == ["no measurement yet of any of these 13 runs"]


def test_the_runs_own_speed_leaves_out_its_first_step(results):
    measure(one(results, "HybViT"), 20.0)
    found = estimate(results, "HybViT")
    assert (found.source, found.device) == ("measured", HERE)
    assert found.seconds == pytest.approx(training_seconds(results, "HybViT", 20.0))
    assert found.says == "its own speed; accuracy, generation at the speed of training"


def test_ranks_count_each(results):
    measure(one(results, "HybViT"), 20.0, world_size=4)
    assert estimate(results, "HybViT").seconds == pytest.approx(training_seconds(results, "HybViT", 20.0, ranks=4))


def test_several_ranks_take_as_much_of_devices_and_less_of_the_clock(results):
    planned = one(results, "HybViT")
    measure(planned, 20.0)
    found = plan(results, ["HybViT"])
    alone, four = (forecast(found, results, Target(1, ranks, device=HERE)) for ranks in ({}, {planned.run.id: 4}))
    assert four.total == alone.total
    assert four.wall_hours == pytest.approx(alone.wall_hours / 4)
    assert four.longest[1] == pytest.approx(alone.longest[1] / 4)


def test_a_short_segment_says_nothing_about_speed(results):
    measure(one(results, "HybViT"), 20.0, steps=5)
    assert estimate(results, "HybViT").source == "none"


def test_what_a_checkpoint_holds_is_not_left(results):
    planned = one(results, "HybViT")
    measure(planned, 20.0)
    whole = estimate(results, "HybViT").seconds
    planned.directory.checkpoints.mkdir()
    (planned.directory.checkpoints / "000001000.json").touch()
    assert whole - estimate(results, "HybViT").seconds == pytest.approx(1000 * 0.020)


def test_other_runs_of_the_same_method_and_size_tell(results):
    """Fits a line through two of them; other methods, and networks at other scales, are ignored."""
    narrow, wide, middle = (one(results, f"HybViT({dim})") for dim in ("dim=192", "dim=768", "depth=6"))
    flops = [planned.run.train_flops / planned.run.iterations for planned in (narrow, wide, middle)]
    for planned, size in ((narrow, flops[0]), (wide, flops[1])):
        measure(planned, 10.0 + size / 1e8)
    measure(one(results, "GenViT(dim=192)"), 3000.0)
    measure(one(results, "HybViT", "paper"), 3000.0)
    found = estimate(results, "HybViT(depth=6)")
    assert (found.source, found.says[:15]) == ("similar", "2 runs like it;")
    assert found.seconds == pytest.approx(training_seconds(results, "HybViT(depth=6)", 10.0 + flops[2] / 1e8))


def test_evaluations_are_scaled_by_their_own_passes(results):
    measured, planned = one(results, "HybViT"), one(results, "HybViT(α=1)")
    asked = {evaluation.kind: evaluation for evaluation in planned.evaluations.values()}
    measure(measured, 20.0, evaluations={asked["generation"].id: 30.0, asked["accuracy"].id: 2.0}, seconds=45.0)
    found = estimate(results, "HybViT(α=1)")
    assert found.says == "1 run like it"
    rest = 45.0 - 7.0 - 32.0
    assert found.seconds == pytest.approx(0.020 * planned.run.iterations + FIRST_STEP + 30.0 + 2.0 + rest)
    finish_training(measured)
    assert estimate(results, "HybViT").seconds == pytest.approx(32.0 + rest)


def test_a_resumed_run_pays_for_one_more_start(results):
    """Every segment opens the data and compiles; segments evicted before any measurement show only that."""
    planned = one(results, "HybViT")
    asked = {evaluation.kind: evaluation for evaluation in planned.evaluations.values()}
    measure(planned, 20.0, first_step_seconds=5.0, seconds=1000.0)
    measure(planned, 20.0, first_step_seconds=9.0, training_seconds=11.0, seconds=1000.0)
    measure(planned, 20.0, evaluations={asked["accuracy"].id: 2.0}, seconds=7.0 + 2.0 + 4.0)
    left = planned.run.iterations * 0.020 + 2.0 + 5.0 + 4.0
    generation = asked["generation"].work(planned.run.config).total
    at_training_speed = generation * 0.020 / (planned.run.train_flops / planned.run.iterations)
    assert estimate(results, "HybViT").seconds == pytest.approx(left + at_training_speed)


def test_a_place_is_estimated_by_devices_of_its_kind_first(results):
    measure(one(results, "HybViT(α=1)"), 20.0, device=HERE)
    measure(one(results, "HybViT(α=10)"), 2.0, device=THERE)
    assert estimate(results, "HybViT").device == HERE
    on_gpu = estimate(results, "HybViT", Target(1, on_gpu=True))
    assert (on_gpu.device, on_gpu.on_gpu) == (THERE, True)
    assert on_gpu.usage.gpu_hours == pytest.approx(training_seconds(results, "HybViT", 2.0) / 3600)
    elsewhere = estimate(results, "HybViT", Target(1, device="Another CPU"))
    assert elsewhere.device == HERE


def test_the_papers_hours_come_last_and_cover_the_training_alone(results):
    planned = one(results, "HybViT", "paper")
    found = estimate(results, "HybViT", scale="paper")
    assert (found.source, found.says, found.on_gpu) == ("paper", "the paper's hours, stated", True)
    assert 31.2 < found.usage.gpu_hours < 32.5
    planned.request()
    finish_training(planned)
    rest = estimate(results, "HybViT", scale="paper").usage.gpu_hours
    assert rest == pytest.approx(found.usage.gpu_hours - 31.2)
    measure(one(results, "HybViT(α=1)", "paper"), 100.0, device=THERE)
    assert estimate(results, "HybViT(α=10)", scale="paper").source == "similar"


def test_longest_chain_and_time_of_workers(results):
    for planned in plan(results).runs:
        measure(planned, 20.0)
        finish_training(planned)
    found = plan(results)
    asked = {evaluation.kind: evaluation for evaluation in found.runs[0].evaluations.values()}
    measure(found.runs[0], 20.0, evaluations={asked["generation"].id: 36.0})
    without_rank_variables, two = (forecast(found, results, Target(workers, device=HERE)) for workers in (1, 2))
    seconds = {id: e.seconds for id, e in two.estimates.items()}
    assert without_rank_variables.wall_hours * 3600 == pytest.approx(sum(seconds.values()))
    assert two.longest[0].run.name in ("hybvit dim=768", "genvit dim=768")
    assert two.longest[1] * 3600 == pytest.approx(max(seconds.values()))
    assert sum(seconds.values()) / 2 <= two.wall_hours * 3600 <= sum(seconds.values()) / 2 + max(seconds.values())
    ranks = {two.longest[0].run.id: 4}
    on_four = forecast(found, results, Target(2, ranks, device=HERE))
    assert on_four.longest[1] <= two.longest[1]
    assert on_four.total == two.total


def test_the_document_keeps_its_fields_and_gets_costs(results):
    measure(one(results, "HybViT"), 36.0, steps=1001)
    found = plan(results)
    before = found.to_json()
    document = with_costs(before, forecast(found, results, SITE))
    for run, old in zip(document["runs"], before["runs"], strict=True):
        assert old.items() <= run.items()
        assert run["estimate"].keys() == {"gpu_hours", "core_hours", "source", "device", "says"}
    assert document["runs"][0]["spent"]["core_hours"] == pytest.approx((5 + 36) / 3600, abs=1e-6)
    assert document["totals"]["spent"]["core_hours"] == document["runs"][0]["spent"]["core_hours"]
    assert document["totals"]["estimate"]["gpu_hours"] is None
    total = sum(run["estimate"]["core_hours"] for run in document["runs"])
    assert document["totals"]["estimate"]["core_hours"] == pytest.approx(total, abs=1e-4)


def test_damaged_and_foreign_directories_are_passed_over(results):
    measure(one(results, "HybViT"), 20.0)
    broken = one(results, "HybViT(α=1)")
    measure(broken, 20.0)
    (broken.directory.segments / "1.json").write_text("{")
    (results.runs / "0123456789ab").mkdir()
    (results.runs / "0123456789ab" / "config.json").write_text("[]")
    found = forecast(plan(results), results, SITE)
    assert found.to_json()["unknown"] == 0
    assert with_costs(plan(results).to_json(), found)["runs"][1]["spent"]["core_hours"] == 0


def test_what_a_run_took_counts_more_than_its_rehearsal(results):
    rehearsed = Observation(HYBRID, HERE, False, step_seconds=1.0, rehearsed=True)
    measured = Observation(HYBRID, HERE, False, step_seconds=2.0)
    other = Observation(DENOISING, HERE, False, step_seconds=3.0, rehearsed=True)
    for order in ([rehearsed, measured], [measured, rehearsed]):
        speeds = speeds_by_device([*order, other])[HERE]
        assert speeds.steps[HYBRID.id][1:] == (2.0, False)
        assert speeds.steps[DENOISING.id][1:] == (3.0, True)
    assert list(observe(results)) == []


def test_the_plan_says_what_the_runs_own_rehearsal_says(results):
    """Even if start-up times differ: the first run may have to prepare the data."""
    rehearsals = rehearsals_of(plan(results), results)
    for number, planned in enumerate(rehearsals):
        planned.request()
        where = {"host": "a", "device": "cpu", "device_name": HERE, "threads": 1, "commit": None, "dirty": None}
        tried = {e.id: rehearsed(e, 3.0 + number) for e in planned.evaluations.values()}
        times = {"opening_seconds": 40.0 * number, "first_step_seconds": 7.0, "step_seconds": 0.02}
        RehearsalRecord(
            run=planned.run.id, started=datetime.now(UTC), seconds=60.0, versions={}, world_size=2, epochs=12,
            iterations=planned.run.iterations, evaluations=tried, checkpoint_share=0.02, **where, **times,
        ).save(planned.directory.rehearsal)  # fmt: skip
    found = forecast(plan(results), results, SITE).estimates
    for planned in rehearsals:
        expected = 2 * planned.directory.record_of_rehearsal().expected_seconds
        assert (found[planned.run.id].source, found[planned.run.id].seconds) == ("rehearsed", pytest.approx(expected))


def rehearsed(evaluation, seconds):
    """Return the record of an evaluation that takes `seconds` in full."""
    sizes = dict.fromkeys(("passes", "full_passes", "chain", "full_chain"), 1)
    stated = evaluation.model_dump(mode="json")
    return RehearsedEvaluation(evaluation=stated, first_seconds=1.0, seconds=1.0, full_seconds=seconds, **sizes)


@pytest.mark.parametrize(
    ("samples", "flops", "seconds"),
    [
        ([(100.0, 2.0)], 400.0, 4.0),  # one size: the square root
        ([(100.0, 2.0), (100.0, 4.0)], 100.0, 3.0),  # the median
        ([(100.0, 2.0), (300.0, 4.0)], 400.0, 5.0),  # 1 + flops / 100
        ([(100.0, 1.0), (300.0, 4.0)], 200.0, 200 * (1 / 100 + 4 / 300) / 2),  # more than proportional: no constant
        ([(100.0, 2.0), (300.0, 2.0)], 900.0, 2.0),  # nothing but calls
    ],
)
def test_seconds_are_scaled(samples, flops, seconds):
    assert scaled(samples, flops) == pytest.approx(seconds, rel=0.05)


def test_a_finished_run_with_a_damaged_file_is_left_without_an_estimate(results):
    planned = one(results, "HybViT")
    planned.request()
    for evaluation in planned.evaluations.values():
        written = evaluation.model_dump(mode="json")
        record = EvaluationRecord(evaluation=written, quantities={}, weights_sha256=WEIGHTS, seconds=1.0)
        record.save(planned.directory.record_path(evaluation))
    vouch(planned.directory)
    planned.directory.outcome.write_text("[]")
    found = forecast(plan(results, ["HybViT"]), results, SITE)
    assert found.estimates[planned.run.id].says == "a file of the run is damaged"
    assert found.lines() == ["no measurement yet of this run"]
