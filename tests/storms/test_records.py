"""Damaged files of a results directory never break a command, and change no shown value in silence."""

import pytest
from arena import SHOWN
from kept import Kept
from live import look, page_of
from mutations import files_of, kind_of, mutate
from values import FIGURE, REPORT, VALUES, values
from watched import watch

SUFFIXES = (".json", ".jsonl", ".txt", ".npy")
CASES = 300


@pytest.fixture
def commands(arena, tmp_path):
    """Return the lines of the commands that read, and the line whose values are compared."""
    run, other = arena.runs[0], arena.runs[-1]
    return (
        ["status"],
        ["status", "--json"],
        ["list"],
        ["plan", "toy/table101", "toy/table102", "toy/table103"],
        ["run", *SHOWN[:3], "-n"],
        REPORT,
        FIGURE,
        ["report", *SHOWN, "--claims"],
        [*REPORT, "--bundle", tmp_path / "bundle.zip"],
        ["compare", arena.root, arena.root],
        ["logs", run],
        ["logs", other],
        ["cancel", run],
        ["cancel", "--all"],
        ["verify"],
    )


@pytest.mark.soak
@pytest.mark.timeout(7200, method="thread")
def test_whatever_is_damaged_commands_go_on_and_values_stay(storm, arena, commands, harness, tmp_path):
    kept, others = Kept(arena.root / "runs"), files_of(arena.root / "runs", *SUFFIXES)
    kinds = sorted({kind_of(path) for path in others})
    whole = values(watch(harness, *VALUES, results=arena.root))
    assert sum(value is not None for value in whole.values()) > 10
    page = page_of(arena.root)
    for seed, dice in storm.cases(CASES):
        kept.put_back()
        arena.beat()
        kind = dice.choice(kinds)
        path = dice.choice([other for other in others if kind_of(other) == kind])
        case = mutate(path, dice, others)
        for line in dice.sample(commands, 3):
            (tmp_path / "bundle.zip").unlink(missing_ok=True)
            for fault in watch(harness, *line, results=arena.root).faults:
                storm.fault(seed, case, fault)
            arena.beat()
        seen = watch(harness, *VALUES, results=arena.root)
        for fault in [*seen.faults, *look(page)]:
            storm.fault(seed, case, fault)
        if seen.code == 0 and (fault := silence(whole, seen, path)):
            if fault.startswith("another") and path.name in watch(harness, "verify", results=arena.root).said:
                continue
            storm.fault(seed, case, fault)


def silence(whole, seen, path):
    """Return which values differ although no word names the damaged file or its run, None if all is well."""
    try:
        found = values(seen)
    except (ValueError, KeyError, TypeError) as error:
        return f"report --json prints no JSON: {error}"
    other = {key for key, value in found.items() if value != whole[key]}
    named = path.name in seen.said.replace(str(path.parents[1]), "") or str(path) in seen.said
    if path.parent.name == "segments":  # a segment with another hash contradicts a record, which is named instead
        named = named or str(path.parents[1]) in seen.said
    if not other or named or not path.exists():  # `run` makes a record that is not there
        return None
    what = "another value" if any(found[key] is not None for key in other) else "no value"
    return (
        f"{what} in silence: {path.parent.name if path.suffix == '.npy' else ''}{path.stem.split('-')[0]}{path.suffix}"
    )
