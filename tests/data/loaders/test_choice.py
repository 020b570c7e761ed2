"""The choice of a loader, and how it is logged."""

import logging

import pytest
import torch
from backends import CPU
from points_paper import POINTS

from harness.cli.main import main
from harness.data import ffcv_needs
from harness.data.catalogue import DIGITS
from harness.data.errors import DataError
from harness.data.loaders import ResidentLoader
from harness.data.loaders.choice import choose
from harness.data.loaders.dataloader import TorchLoader
from harness.data.loaders.open_loader import LoaderPool, free_memory
from harness.data.prepared.dataset import PreparedDataset, open_dataset
from harness.data.prepared.prepare import silent
from harness.store.results import Results

GB = 10**9


@pytest.mark.parametrize(
    ("wanted", "image_size", "size", "problem", "name", "reason"),
    [
        ("auto", 32, GB, "", "resident", "images of up to 64 pixels that fit into half of the free memory"),
        ("auto", 64, 5 * GB, "", "resident", "images of up to 64 pixels that fit into half of the free memory"),
        ("auto", 64, 5 * GB + 1, "", "ffcv", "5.0 GB do not fit into half of the 10.0 GB that are free"),
        ("auto", 65, 1, "", "ffcv", "images of more than 64 pixels stay on the disk"),
        (
            "auto",
            128,
            GB,
            "FFCV is not installed",
            "torch",
            "images of more than 64 pixels stay on the disk, and FFCV ",
        ),
        ("resident", 128, 50 * GB, "", "resident", "as asked"),
        ("ffcv", 8, 1, "FFCV is not installed", "ffcv", "as asked"),
        ("torch", 8, 1, "", "torch", "as asked"),
    ],
)
def test_the_choice_follows_from_sizes(wanted, image_size, size, problem, name, reason):
    choice = choose(wanted, DIGITS.but(image_size=image_size), size, 10 * GB, lambda: problem)
    assert choice.name == name
    assert choice.reason.startswith(reason)
    assert str(choice) == f"{choice.name} ({choice.reason})"


NO_CLASSES = DIGITS.but(num_classes=0)
HOLDS_ARRAYS = "FFCV supports only images with classes, but dataset 'points' holds arrays"
HOLDS_NO_CLASSES = "FFCV supports only images with classes, but dataset 'digits' holds images without classes"


@pytest.mark.parametrize(
    ("data", "size", "chosen"),
    [
        (POINTS, 5 * GB, "resident (arrays that fit into half of the free memory)"),
        (POINTS, 5 * GB + 1, f"torch (5.0 GB do not fit into half of the 10.0 GB that are free, and {HOLDS_ARRAYS})"),
        (NO_CLASSES, GB, "resident (images of up to 64 pixels that fit into half of the free memory)"),
        (
            NO_CLASSES.but(image_size=65),
            1,
            f"torch (images of more than 64 pixels stay on the disk, and {HOLDS_NO_CLASSES})",
        ),
    ],
)
def test_auto_never_takes_ffcv_for_what_it_cannot_hold(data, size, chosen):
    assert str(choose("auto", data, size, 10 * GB, lambda: "")) == chosen


@pytest.mark.parametrize(("data", "why"), [(POINTS, HOLDS_ARRAYS), (NO_CLASSES, HOLDS_NO_CLASSES)])
def test_asking_for_ffcv_for_what_it_cannot_hold_is_refused(data, why, data_root, monkeypatch):
    with pytest.raises(DataError, match=f"^{why}: use --loader auto, resident or torch$"):
        choose("ffcv", data, 1, GB, lambda: "")
    monkeypatch.setattr("harness.data.loaders.open_loader.import_ffcv", lambda: pytest.fail("looked for"))
    prepared = PreparedDataset(data_root / data.name, open_dataset(data, data_root).manifest, data)
    with pytest.raises(DataError, match=why):
        LoaderPool("ffcv", CPU, silent).open(prepared, "train")


def test_ffcv_is_not_looked_for_where_it_is_not_needed():
    assert choose("auto", DIGITS, GB, 10 * GB, lambda: pytest.fail("looked for")).name == "resident"


def test_a_split_is_opened_once_and_the_log_says_how(data_root, caplog):
    data = open_dataset(DIGITS, data_root)
    loaders = LoaderPool("auto", CPU, silent)
    with caplog.at_level(logging.INFO, "harness.data"):
        first, again = loaders.open(data, "train"), loaders.open(data, "train")
    assert first is again
    assert isinstance(first, ResidentLoader)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        "loader of digits, split train: resident (images of up to 64 pixels that fit into half of the free memory)"
    )
    assert isinstance(LoaderPool("torch", CPU, silent).open(data, "test"), TorchLoader)
    assert 0 < DIGITS.pixels * len(first) < free_memory(CPU) / 2


def test_a_resident_split_on_the_cpu_is_the_file_itself(data_root):
    split = open_dataset(DIGITS, data_root).split("train")
    loader = ResidentLoader(split, CPU)
    assert loader._fields["images"].data_ptr() == split["images"].ctypes.data


@pytest.fixture
def without_ffcv(monkeypatch):
    """A machine without FFCV and the packages that build it."""
    monkeypatch.setattr(ffcv_needs, "find_spec", lambda name: None)
    monkeypatch.setattr(ffcv_needs.shutil, "which", lambda tool: None)
    monkeypatch.setattr(ffcv_needs, "_has_library", lambda library: False)
    monkeypatch.setattr(ffcv_needs.sysconfig, "get_path", lambda name: "/nowhere")


def test_missing_packages_are_named(without_ffcv):
    missing = ffcv_needs.missing_packages()
    assert [missing[0], missing[1], *missing[3:]] == ["g++", "pkg-config", "libopencv-dev", "libturbojpeg0-dev"]
    assert missing[2].startswith("python3.") and missing[2].endswith("-dev")


def test_asking_for_ffcv_without_it_is_one_line_with_the_commands(without_ffcv, data_root, tmp_path, capsys):
    from toy_paper import HYBRID

    directory = Results(tmp_path).directory(HYBRID)
    directory.request(HYBRID, [])
    folders = ["--results", str(tmp_path), "--data", str(data_root)]
    assert main([*folders, "worker", HYBRID.id, "--loader", "ffcv", "--device", "cpu"]) == 1
    error = directory.last_outcome().error
    assert error.startswith("FFCV is not installed: sudo apt-get install -y --no-install-recommends g++ pkg-config ")
    assert error.endswith("libturbojpeg0-dev && pip install -c constraints.txt '.[ffcv]'; or use --loader torch")
    assert "Traceback" not in capsys.readouterr().err


def test_auto_goes_without_ffcv_and_says_so(without_ffcv, data_root, monkeypatch):
    monkeypatch.setattr("harness.data.loaders.open_loader.free_memory", lambda device: 100_000)
    data = open_dataset(DIGITS, data_root)
    choice = LoaderPool("auto", torch.device("cpu"), silent).choice(data, "train")
    assert str(choice) == ("torch (0.0 GB do not fit into half of the 0.0 GB that are free, and FFCV is not installed)")
