"""Dataset names: who owns a name, and the error for a name that nobody owns."""

import subprocess
import sys

import pytest
from distributions import install, on_path

from harness.config.dataset import Arrays
from harness.data import registry
from harness.data.catalogue import CELEBAHQ128, CIFAR10, DIGITS, IMAGENET128
from harness.data.errors import DataError
from harness.data.prepared.source import embedded
from harness.data.registry import Archive, Source, command_to_prepare, datasets, find_dataset, register, source_of
from harness.errors import SpecError

POINTS = Arrays(name="made_points", fields={"x": ((2,), "float32")}, splits={"train": 4})
SOURCE = Source("points", "made:read")


@pytest.fixture
def own_names(monkeypatch):
    """Unregister what a test registers."""
    monkeypatch.setattr(registry, "REGISTERED", dict(registry.REGISTERED))


def test_a_name_has_one_owner(own_names):
    assert register(POINTS, SOURCE) is POINTS
    assert register(POINTS, SOURCE) is POINTS, "reloading a module is allowed"
    for data, source in ((POINTS.first(3), SOURCE), (POINTS, Source("others", "made:read"))):
        with pytest.raises(
            SpecError, match="'made_points' is already registered, as 'points': choose another"
        ) as error:
            register(data, source)
        assert "\n" not in str(error.value)
    assert source_of(POINTS) == SOURCE


def test_the_datasets_of_the_harness_own_their_names_before_anybody_else(toy_environment):
    """Also in a process that has not imported the catalogue."""
    code = (
        "import sys; from harness.data.registry import Source, register; from harness.config.dataset import Arrays\n"
        "assert 'harness.data.catalogue' not in sys.modules\n"
        "register(Arrays(name='cifar10', fields={'x': ((), 'uint8')}, splits={'test': 1}), Source('mine', 'm:r'))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=toy_environment, capture_output=True, text=True)
    assert "dataset 'cifar10' is already registered, as 'CIFAR-10: objects of 10 classes'" in done.stderr


@pytest.mark.parametrize("name", ["inception", "inception-12345678", "downloads", "../digits", "a/b", ".preparing", ""])
def test_a_name_is_that_of_a_folder_of_its_own(own_names, name):
    with pytest.raises(SpecError, match="cannot name a dataset"):
        register(POINTS.but(name=name), SOURCE)


def test_a_dataset_without_archives_is_made_on_first_use(own_names, tmp_path):
    register(POINTS, SOURCE)
    assert source_of(POINTS).embedded and source_of(DIGITS).embedded
    assert not source_of(CIFAR10).embedded and not source_of(IMAGENET128).embedded
    assert command_to_prepare(POINTS, tmp_path).endswith("data prepare made_points")
    assert command_to_prepare(IMAGENET128, tmp_path) == ""
    assert command_to_prepare(CELEBAHQ128, tmp_path).endswith("--from FOLDER --unverified")


def test_a_reader_that_returns_nothing_is_named(own_names):
    register(POINTS, Source("points", "builtins:print"))
    with pytest.raises(DataError, match="made_points: its reader builtins:print returns None, not blocks or chunks"):
        embedded(POINTS)


def test_an_archive_that_names_no_split_is_needed_by_all():
    archives = Archive("all.zip", 1), Archive("train.zip", 1, splits=("train",))
    source = Source("points", "made:read", archives=archives)
    assert source.needed(POINTS.but(splits={"validation": 2})) == archives[:1]
    assert source.needed(POINTS) == archives


def test_a_name_that_nobody_owns_is_looked_for_in_the_installed_papers(toy_environment, tmp_path):
    module = """
        from harness.data.registry import Source, register
        from harness.config.dataset import Arrays
        MOONS = Arrays(name="moons", fields={"x": ((2,), "float32")}, splits={"train": 4})
        register(MOONS, Source("m", "m:r"))
        PAPER = None
    """
    install(tmp_path / "a", "moons-paper", {"moons.py": module}, papers=["moons = moons:PAPER"])
    install(tmp_path / "b", "broken-paper", {"broken.py": "import nowhere_at_all"}, papers=["broken = broken:PAPER"])
    code = (
        "from harness.data.registry import find_dataset; from harness.errors import SpecError\n"
        "print(find_dataset('moons').splits)\n"
        "try: find_dataset('moon')\n"
        "except SpecError as error: print(error)"
    )
    environment = on_path(toy_environment, tmp_path / "a", tmp_path / "b")
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    found, error = done.stdout.splitlines()
    assert found == "{'train': 4}"
    assert error.startswith("unknown dataset 'moon', which no installed paper offers: did you mean 'moons'? allowed: ")
    assert "'broken' of broken-paper 1.0 cannot be loaded: ModuleNotFoundError" in error


def test_the_order_is_that_of_the_catalogue_and_stand_ins_follow_originals():
    names = list(datasets())
    assert names[:4] == ["cifar10", "cifar100", "tiny_imagenet", "stl10"]
    assert names.index("celeba32") < names.index("digits") < names.index("pairs") < names.index("overlays")
    assert find_dataset("digits") is DIGITS
