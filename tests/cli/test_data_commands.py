"""`harness data`: every subcommand, its output, and its errors."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from originals import ORIGINALS
from points_paper import POINTS

from harness.cli.main import main
from harness.config.dataset import Arrays
from harness.data import catalogue, registry
from harness.data.registry import Archive, Source

SVHN_SHA256 = registry.source_of(catalogue.SVHN).archives[0].sha256


@pytest.fixture
def data_command(tmp_path, capsys):
    """Run `harness data` in this process with a data folder of its own."""

    def run(*arguments):
        code = main(["--data", str(tmp_path / "data"), "data", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Write small archives to a folder, and their counts to the catalogue."""
    folder = tmp_path / "originals"
    folder.mkdir()
    for name in ("cifar10", "svhn", "stl10"):
        data, _ = ORIGINALS[name](folder, np.random.default_rng(0))
        monkeypatch.setitem(registry.REGISTERED, name, (data, registry.source_of(data)))
    return folder


@pytest.mark.parametrize("command", [[], ["list"], ["prepare"], ["verify"]])
def test_every_command_has_help_with_an_example(data_command, command):
    code, out, _ = data_command(*command, "--help")
    assert code == 0
    assert "Example" in out
    assert f"python -m harness data {''.join(command)}" in out


def test_list_has_the_documented_shape(data_command):
    code, out, _ = data_command("list", "--json")
    assert code == 0
    listed = {entry["dataset"]: entry for entry in json.loads(out)}
    assert set(listed) == {*registry.datasets(), "inception"}
    assert listed["inception"]["bytes"] == 95_628_359
    assert listed["inception"]["archives"][0]["sha256"].startswith("6726825d")
    assert "hybvit/table2" in listed["inception"]["needed_by"]
    assert listed["svhn"] == {
        "dataset": "svhn",
        "title": "SVHN: street view house numbers",
        "images": {"test": 26_032},
        "needed_by": ["hybvit/table3", "hybvit/table11"],
        "state": "missing",
        "bytes": 26_032 * (3072 + 8),
        "archives": [
            {
                "name": "test_32x32.mat",
                "bytes": 64_275_384,
                "sha256": SVHN_SHA256,
                "md5": "",
                "url": "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
            }
        ],
    }
    assert "hybvit/figure8" in listed["imagenet32"]["needed_by"]
    assert "hybvit/table6" in listed["digits"]["needed_by"]
    assert listed["celeba128"]["needed_by"] == ["hybvit/table2-celeba"]


def test_list_prints_a_line_per_dataset(data_command, small):
    data_command("prepare", "svhn", "--from", small, "--unverified")
    (small.parent / "data" / "stl10").mkdir()
    (small.parent / "data" / "stl10" / "manifest.json").write_text("torn")
    _, out, _ = data_command("list")
    lines = {line.split()[0]: " ".join(line.split()) for line in out.splitlines() if line[:1].isalpha()}
    assert "64.3 MB yes 0.0 MB hybvit tables 3, 11" in lines["svhn"]
    assert " 170.5 MB no " in lines["cifar10"]
    assert " unreadable " in lines["stl10"]
    assert "no reader in this version" in lines["imagenet224_10"]
    assert "stand-in, made on first use - no" in lines["digits"]
    assert "any no" in lines["celebahq128"]


def test_prepare_then_verify(data_command, small):
    code, out, err = data_command("prepare", "cifar10", "svhn", "--from", small, "--unverified")
    assert (code, err) == (0, "")
    assert "checking cifar-10-python.tar.gz: 100 %" in out
    assert "preparing cifar10: 100 %" in out
    assert f"svhn: prepared in {small.parent / 'data' / 'svhn'}" in out
    assert "was prepared already" in data_command("prepare", "svhn", "--from", small, "--unverified")[1]
    code, out, _ = data_command("verify")
    assert code == 0
    assert out.splitlines() == [
        *(f"cifar10/{split}-{kind}.npy: as prepared" for split in ("train", "test") for kind in ("images", "labels")),
        "svhn/test-images.npy: as prepared",
        "svhn/test-labels.npy: as prepared",
    ]


def test_verify_finds_what_has_changed(data_command, small):
    data_command("prepare", "svhn", "--from", small, "--unverified")
    folder = small.parent / "data" / "svhn"
    content = bytearray((folder / "test-images.npy").read_bytes())
    content[-1] ^= 1
    (folder / "test-images.npy").write_bytes(content)
    (folder / "test-labels.npy").unlink()
    code, out, _ = data_command("verify", "svhn")
    lines = out.splitlines()
    assert code == 1
    assert lines[0].startswith("svhn/test-images.npy: changed: SHA-256 ")
    assert lines[1] == "svhn/test-labels.npy: missing"
    assert lines[2].startswith(f"svhn: delete {folder}, then python -m harness --data ")
    (folder / "manifest.json").write_text("torn")
    code, out, _ = data_command("verify")
    assert (code, out.count("\n")) == (1, 1)
    assert "corrupted record" in out


def test_verify_of_what_is_absent_says_how_to_get_it(data_command):
    assert data_command("verify") == (0, "", "")
    code, out, _ = data_command("verify", "stl10")
    assert code == 1
    assert "stl10: not prepared: python -m harness --data " in out


def test_quiet_prepares_silently(small, tmp_path, capsys):
    arguments = ["--quiet", "--data", str(tmp_path / "data"), "data", "prepare", "svhn"]
    assert main([*arguments, "--from", str(small), "--unverified"]) == 0
    assert capsys.readouterr() == ("", "")


def test_stand_ins_are_prepared_without_an_archive(data_command, tmp_path):
    code, out, _ = data_command("prepare", "digits")
    assert code == 0
    assert "digits: prepared in" in out
    assert (tmp_path / "data" / "digits" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (["prepare", "cifar1O"], 2, ["unknown dataset 'cifar1O'", "did you mean 'cifar10'", "svhn"]),
        (["prepare"], 2, ["Missing argument", "NAME"]),
        (["prepare", "cifar10"], 2, ["either --from PATH or --download"]),
        (["prepare", "cifar10", "--from", ".", "--download"], 2, ["either --from PATH or --download"]),
        (["prepare", "cifar10", "--from", "/no/such/place"], 2, ["--from", "/no/such/place"]),
        (["prepare", "imagenet128_10", "--download"], 1, ["'imagenet128_10' has no reader in this version"]),
        (["prepare", "imagenet32", "--download"], 1, ["cannot be downloaded by a program", "image-net.org"]),
        (["prepare", "stl10", "--from", "{empty}"], 1, ["holds no stl10_binary.tar.gz", "http://ai.stanford.edu"]),
        (["prepare", "celebahq128", "--from", "{empty}"], 1, ["no known hash", "--unverified"]),
        (["prepare", "cifar10", "--from", "{small}"], 1, ["the original has 170,498,071", "--unverified"]),
        (
            ["prepare", "svhn", "--from", "{sparse}"],
            1,
            [SVHN_SHA256, "SHA-256"],
        ),
        (["verify", "cifar1O"], 2, ["unknown dataset 'cifar1O'"]),
        (["lst"], 2, ["unknown command 'lst'", "did you mean 'list'"]),
    ],
)
def test_a_users_error_is_one_line(data_command, small, tmp_path, arguments, code, parts):
    (tmp_path / "empty").mkdir()
    sparse = tmp_path / "test_32x32.mat"
    with open(sparse, "wb") as file:
        file.truncate(64_275_384)
    places = {"empty": tmp_path / "empty", "small": small, "sparse": sparse}
    found, _, err = data_command(*(argument.format(**places) for argument in arguments))
    assert found == code
    assert err.startswith("harness: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err
    assert not [*tmp_path.glob("data/*/manifest.json")]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_terminal_gets_bars(small, toy_environment, tmp_path):
    import pty

    code = (
        "import sys; from harness.data import catalogue, registry; from harness.cli.main import main; "
        "few = catalogue.SVHN.but(test_examples=12); registry.REGISTERED['svhn'] = few, registry.source_of(few); "
        "sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["--data", str(tmp_path / "data"), "data", "prepare", "svhn", "--from", str(small), "--unverified"]
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=toy_environment | {"TERM": "xterm"}, stdout=follower
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            shown += os.read(leader, 4096)
        except OSError:
            break
    os.close(leader)
    assert process.wait(60) == 0
    assert "preparing svhn" in shown.decode()
    assert "━" in shown.decode()
    assert "svhn: prepared in" in shown.decode()


MOONS = Arrays(name="moons", fields={"x": ((2,), "float64"), "y": ((), "float64")}, splits={"train": 3})
TABLE = "1,2,0.5\n3,4,nan\n5,6,1e9\n"


@pytest.fixture
def moons(monkeypatch, tmp_path):
    """A regression table registered by a paper, and a folder with its archive."""
    sha256 = hashlib.sha256(TABLE.encode()).hexdigest()
    archive = Archive("moons.csv", len(TABLE), sha256=sha256)
    source = Source("a table of moons", "points_nn:read_table", "https://example.org/moons", (archive,))
    monkeypatch.setitem(registry.REGISTERED, "moons", (MOONS, source))
    monkeypatch.setitem(registry.REGISTERED, "points", (POINTS, registry.source_of(POINTS)))
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / "moons.csv").write_text(TABLE)
    return tmp_path / "originals"


def listed(data_command, name):
    return {entry["dataset"]: entry for entry in json.loads(data_command("list", "--json")[1])}[name]


def test_datasets_of_papers_work_like_all_others(data_command, moons, tmp_path):
    found = listed(data_command, "moons")
    assert found["title"] == "a table of moons" and found["images"] == {"train": 3}
    assert (found["state"], found["bytes"], found["needed_by"]) == ("missing", 3 * 3 * 8, [])
    assert [archive["name"] for archive in found["archives"]] == ["moons.csv"]
    assert data_command("prepare", "moons", "--from", moons)[0] == 0
    assert np.isnan(np.load(tmp_path / "data" / "moons" / "train-y.npy")[1])
    assert listed(data_command, "moons")["state"] == "prepared"
    code, out, _ = data_command("verify", "moons")
    assert (code, out.splitlines()) == (0, ["moons/train-x.npy: as prepared", "moons/train-y.npy: as prepared"])


def test_what_a_paper_makes_on_first_use_needs_no_archive(data_command, moons, tmp_path):
    code, out, _ = data_command("prepare", "points")
    assert (code, out) == (0, f"points: prepared in {tmp_path / 'data' / 'points'}\n")
    assert listed(data_command, "points")["archives"] == []
    assert data_command("verify", "points")[0] == 0


def test_data_of_another_revision_are_listed_as_such(data_command, moons, monkeypatch):
    data_command("prepare", "moons", "--from", moons)
    newer = replace(registry.source_of(MOONS), revision=2)
    monkeypatch.setitem(registry.REGISTERED, "moons", (MOONS, newer))
    assert listed(data_command, "moons")["state"] == "outdated"


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["prepare", "moons"], 2, "no archives given: use either --from PATH or --download"),
        (
            ["prepare", "moons", "--download"],
            1,
            "moons.csv of 'moons' cannot be downloaded by a program: get it from",
        ),
        (["prepare", "moons", "--from", "{other}"], 1, "is not moons.csv: it has 5 bytes, the original has"),
        (["verify", "moons"], 1, "moons: not prepared: python -m harness --data "),
        (["prepare", "moon"], 2, "unknown dataset 'moon', which no installed paper offers: did you mean 'moons'?"),
        (["prepare", "inceptio"], 2, "did you mean 'inception'?"),
    ],
)
def test_what_is_wrong_with_a_papers_dataset_is_one_line(data_command, moons, tmp_path, arguments, code, part):
    (tmp_path / "moons.csv").write_text("1,2,3")
    found, out, err = data_command(*(argument.format(other=tmp_path) for argument in arguments))
    assert found == code
    assert part in out + err and (out + err).count("\n") == 1
