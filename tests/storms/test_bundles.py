"""Damaged bundles are refused on one line or show the same values; altered ones with right hashes break nothing."""

import json
import shutil
import zipfile

import pytest
from bundles import rewritten
from kept import Kept
from mutations import mutate
from values import REPORT, VALUES, WITHOUT_PDF, values
from watched import watch

from harness.bundle.manifest import MANIFEST

CASES = 200


@pytest.fixture
def base(arena):
    return arena.root


@pytest.fixture
def bundle(base, harness, tmp_path):
    """Return a bundle as an archive and as a folder."""
    for path in (tmp_path / "whole.zip", tmp_path / "folder"):
        done = harness(*REPORT, "--bundle", path, results=base)
        assert done.returncode == 0, done.stderr
    return tmp_path / "whole.zip", tmp_path / "folder"


def judge(storm, seed, case, seen, whole, trusted):
    """Note the faults of a command that showed a bundle. Only an unaltered one is `trusted` to show the same values."""
    for fault in seen.faults:
        storm.fault(seed, case, fault)
    if seen.code not in (0, None) and (seen.err.count("\n") != 1 or len(seen.err) > 1000):
        storm.fault(seed, case, f"refused with {seen.err.count(chr(10))} lines, {len(seen.err)} characters")
    if trusted and seen.code == 0 and seen.out.startswith("{") and values(seen) != whole:
        storm.fault(seed, case, "other values in silence")


@pytest.mark.soak
@pytest.mark.timeout(7200, method="thread")
def test_a_damaged_archive_is_refused_or_shows_the_same(storm, harness, bundle, base, tmp_path):
    whole, _ = bundle
    expected, path = values(watch(harness, *VALUES, "--from", whole)), tmp_path / "damaged.zip"
    for seed, dice in storm.cases(CASES):
        trusted = dice.random() < 0.5
        if trusted:
            shutil.copy(whole, path)
            damage = dice.choice(("flip", "truncate", "zeros", "insert"))
            case = mutate(path, dice, (), only=(damage,))
        else:
            path, case = altered(whole, path, dice, tmp_path)
        lines = (
            (*VALUES, "--from", path),
            ("report", "--from", path, "--no-figures", *WITHOUT_PDF),
            ("compare", path, base),
        )
        for line in dice.sample(lines, 2):
            judge(storm, seed, case, watch(harness, *line), expected, trusted)


def altered(whole, path, dice, tmp_path):
    """Write a bundle whose file was changed before its manifest was written; return its path and the change."""
    said = []

    def change(files, manifest):
        one = tmp_path / "one" / dice.choice(sorted(files)).replace("/", "@")
        one.parent.mkdir(exist_ok=True)
        name = one.name.replace("@", "/")
        one.write_bytes(files[name])
        others = []
        for other in dice.sample(sorted(files), 3):
            others.append(one.parent / f"other-{len(others)}")
            others[-1].write_bytes(files[other])
        said.append(mutate(one, dice, others, but=("other kind",)))
        files[name] = one.read_bytes()

    return rewritten(whole, path, change), said[0]


@pytest.mark.soak
@pytest.mark.timeout(7200, method="thread")
def test_a_damaged_folder_is_refused_or_shows_the_same(storm, harness, bundle, base):
    _, folder = bundle
    kept, expected = Kept(folder), values(watch(harness, *VALUES, "--from", folder))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for seed, dice in storm.cases(CASES // 2):
        kept.put_back()
        path = folder / MANIFEST if dice.random() < 0.2 else dice.choice(files)
        case = mutate(path, dice, files)
        lines = (
            ((*VALUES, "--from", folder), None),
            (("compare", folder, base), None),
            (("status",), folder),
            (VALUES, folder),
        )
        for line, results in dice.sample(lines, 2):
            judge(storm, seed, case, watch(harness, *line, results=results), expected, results is None)


def test_the_storm_notices_a_value_that_changes(harness, bundle, tmp_path):
    whole, _ = bundle

    def change(files, manifest):
        name = next(name for name in sorted(files) if "/evaluations/accuracy" in name and name.endswith(".json"))
        record = json.loads(files[name])
        record["quantities"]["accuracy"]["value"] += 1
        files[name] = json.dumps(record).encode()

    path = rewritten(whole, tmp_path / "changed.zip", change)
    assert zipfile.is_zipfile(path)
    assert values(watch(harness, *VALUES, "--from", path)) != values(watch(harness, *VALUES, "--from", whole))
