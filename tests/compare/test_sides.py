"""The two sides of a comparison: leaves of documents, and runs and records that correspond."""

from compared_sides import measured, nothing, stay
from toy_paper import DENOISING, HYBRID

from harness.compare.sides import Side, differing, joined, leaves
from harness.config.evaluations import Accuracy, Calibration
from harness.store.results import Results


def test_leaves_are_values_at_dotted_paths():
    assert leaves({"a": {"b": 1, "c": {"d": [1, {"e": 2}]}}, "f": None}) == {
        "a.b": 1,
        "a.c.d": [1, {"e": 2}],
        "f": None,
    }
    assert leaves(3) == {"": 3} and leaves({"a": {}}) == {}
    assert differing({"a": 1, "b": 2, "c": 3}, {"d": 4, "c": 3, "b": 5}) == [
        ("a", 1, "(absent)"), ("b", 2, 5), ("d", "(absent)", 4)
    ]  # fmt: skip
    assert joined([2, "b", 2, 1]) == "2, b, 1"


def test_a_run_corresponds_to_the_nearest_of_its_name_seed_and_data(tmp_path):
    results = Results(tmp_path)
    far, near = (HYBRID.but(**changes).called("hybrid") for changes in ({"alpha": 3, "depth": 2}, {"alpha": 4}))
    other_seed, other_name = HYBRID.but(seed=1, alpha=5).called("hybrid"), HYBRID.but(alpha=6).called("another")
    for run in (far, other_seed, other_name):
        results.directory(run).request(run, [])
    ask = lambda *expected: Side("A", "a", results).run(HYBRID, lambda seed: expected)  # noqa: E731
    assert ask() == far.id
    results.directory(near).request(near, [])
    assert ask() == near.id and ask(near.id) == far.id and ask(near.id, far.id) is None
    results.directory(HYBRID).request(HYBRID, [])
    assert ask() == ask(HYBRID.id) == HYBRID.id


def test_a_correspondence_is_sought_once_and_among_the_expected_of_the_seed(tmp_path):
    results, asked = Results(tmp_path), []
    near = HYBRID.but(alpha=3, seed=2).called("hybrid seed=2")
    results.directory(near).request(near, [])
    side, wanted = Side("A", "a", results), HYBRID.but(seed=2)

    def expected(seed):
        asked.append(seed)
        return ()

    assert [side.run(wanted, expected), side.run(wanted, expected)] == [near.id] * 2 and asked == [2]


def test_a_record_corresponds_to_the_nearest_of_its_kind_and_quantity(tmp_path):
    results = Results(tmp_path)
    far = measured(results, HYBRID, Accuracy(split="train", after=0.5))
    measured(results, HYBRID, Calibration(after=0.5))
    measured(results, HYBRID, Accuracy(split="b"), quantity="other")
    ask = lambda *expected: Side("A", "a", Results(tmp_path)).record(  # noqa: E731
        HYBRID.id, Accuracy(), "accuracy", lambda seed: expected
    )
    assert ask() == far and ask(Accuracy(split="train", after=0.5).id) is None
    near = measured(results, HYBRID, Accuracy(split="train"))
    assert ask() == near
    measured(results, HYBRID, Accuracy(after=0.5))
    assert ask() is None, "two are equally near"
    own = measured(results, HYBRID, Accuracy())
    assert ask() == ask(Accuracy().id) == own


def test_unreadable_files_are_named_once(tmp_path):
    results = Results(tmp_path)
    measured(results, HYBRID, Accuracy())
    measured(results, DENOISING, Accuracy())
    directory, other = results.directory(HYBRID), results.directory(DENOISING)
    stay("b" * 40).save(other.segments / "1.json")
    stay("a" * 40).save(other.segments / "2.json")
    stay().save(other.segments / "3.json")
    stay("a" * 40).save(directory.segments / "1.json")
    side = Side("A", "a", results)
    assert side.commits == ["a" * 40, "b" * 40] and side.skipped_runs == []
    for path in (directory.segments / "1.json", directory.training, directory.record_path(Accuracy())):
        path.write_text("{")
    for _ in range(2):
        assert (side.segments(HYBRID.id), side.training(HYBRID.id)) == ([], None)
        assert side.record(HYBRID.id, Accuracy(), "accuracy", nothing) is None
    assert [line.partition(": corrupted record ")[0] for line in side.skipped_runs] == ["A"] * 2
    other.config.write_text("{}")
    again = Side("A", "a", results)
    assert list(again.stored) == [HYBRID.id] and again.skipped_runs == [f"A: {DENOISING.id}: 'name'"]
    assert again.training("0" * 12) is None
