"""Profiles: parsing, errors, and the resources that each run gets."""

from pathlib import Path

import pytest
from toy_paper import DENOISING, HYBRID

from harness.errors import SpecError
from harness.launch.slurm.profile import Profile, load_profile, megabytes, minutes

SHIPPED = Path(__file__).parents[2] / "slurm" / "profiles"


@pytest.mark.parametrize(
    ("text", "expected"),
    [(90, 90), ("90", 90), ("12:00:00", 720), ("0:30", 1), ("30:30", 31), ("2-12", 3600), ("2-00:30:00", 2910)],
)
def test_times_are_read_as_slurm_reads_them(text, expected):
    assert minutes(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("64G", 65536), ("4000", 4000), ("4000M", 4000), ("1.5GB", 1536)])
def test_sizes_are_read_as_slurm_reads_them(text, expected):
    assert megabytes(text) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('partitoin = "gpu"', "unknown field 'partitoin': did you mean 'partition'"),
        ("[[override]]\nmin_parameter = 3", "did you mean 'min_parameters'"),
        ("[follow_up]\ntme = 3", "did you mean 'time'"),
        ('time = "a day"', "write minutes, HH:MM:SS or D-HH:MM:SS"),
        ("runs_per_task = 3\n[[override]]\nnodes = 2", "3 runs in a task need nodes = 1"),
        ("partition = gpu", "is not valid TOML"),
    ],
)
def test_a_wrong_profile_is_refused_on_one_line(content, says, tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(SpecError) as error:
        load_profile(str(path))
    assert says in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


def test_names_are_looked_up_in_both_folders_and_the_working_one_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder, partition in (
        (tmp_path / "home/.config/harness/slurm", "theirs"),
        (tmp_path / "slurm/profiles", "ours"),
    ):
        folder.mkdir(parents=True)
        (folder / "both.toml").write_text(f'partition = "{partition}"')
        (folder / f"{partition}.toml").write_text("")
    assert load_profile("both").partition == "ours"
    assert load_profile("theirs").partition is None
    with pytest.raises(SpecError, match="unknown profile 'bothe': did you mean 'both'\\? allowed: both, ours, theirs"):
        load_profile("bothe")


def test_the_last_override_that_applies_wins():
    profile = Profile(
        memory="8G",
        override=[
            {"min_parameters": 1, "memory": "16G", "time": 60},
            {"runs": "hybrid*", "memory": "32G"},
            {"min_train_flops": 1e30, "nodes": 9},
        ],
    )
    assert profile.resources_for(HYBRID) == profile.resources().but(memory="32G", time=60)
    assert profile.resources_for(DENOISING) == profile.resources().but(memory="16G", time=60)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_profiles_are_valid_and_come_back_from_a_manifest(path):
    profile = load_profile(str(path))
    assert Profile.model_validate_json(profile.model_dump_json()) == profile
