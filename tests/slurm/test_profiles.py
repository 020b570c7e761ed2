"""Profiles: parsing, errors, and the resources that each run gets."""

import os
from pathlib import Path

import pytest
from toy_paper import DENOISING, HYBRID

from harness.errors import SpecError
from harness.launch.slurm.profile import Profile
from harness.launch.slurm.profile_files import lasting_name, load_profile
from harness.launch.slurm.units import megabytes, minutes

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


@pytest.mark.parametrize(("text", "count"), [(0, 0), (4, 4), ("8", 8), ("a100:4", 4), ("a100", 1)])
def test_gpus_are_counted_as_slurm_counts_them(text, count):
    assert Profile(gpus_per_node=text).gpus == count


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('partitoin = "gpu"', "unknown field 'partitoin': did you mean 'partition'"),
        ("[[override]]\nmin_parameter = 3", "did you mean 'min_parameters'"),
        ("[follow_up]\ntme = 3", "did you mean 'time'"),
        ('time = "a day"', "write minutes, HH:MM:SS or D-HH:MM:SS"),
        ("runs_per_task = 3\n[[override]]\nnodes = 2", "3 runs in a task need nodes = 1"),
        ("partition = gpu", "is not valid TOML"),
        ("self = 1", "unknown field 'self'"),
        (f"nodes = {'9' * 5000}", "Exceeds the limit (4300 digits)"),
        (f"nodes = {'9' * 400}", "a number is larger than 64 bits"),
        (f"setup = 0x{'f' * 5000}", "a number is larger than 64 bits"),
        (f"[[override]]\nmin_parameters = -{'9' * 400}", "a number is larger than 64 bits"),
        (f'memory = "{"9" * 400}G"', "write a size such as 64G"),
        (f'time = "{"9" * 400}"', "write minutes"),
        ('time = "²"', "write minutes"),
        ("memory = inf", "write a size"),
        ("partition = " + "[" * 3000, "nested too deeply"),
        ("partition = " + "[" * 90 + "]" * 90, "partition"),
        ('partition = "a\\nb"', "'a\\nb' has a control character"),
        ('[sbatch]\n"x\\u001b" = 1', "has a control character"),
        (f'"{"x" * 5000}" = 1', "unknown field"),
        ('srun = ["a;\\u001bb"]', "'a;\\x1bb' has a control character"),
        ("memory = 0", "put 'mem = 0' under [sbatch]"),
        ('[[override]]\nmemory = "0.0G"', "write a size above 0"),
        ("time = 0", "0 is no limit, and jobs need one"),
        ('[follow_up]\ntime = "0-00:00:00"', "0 is no limit"),
        ('gpus_per_node = "a100:-4"', "write a number such as 4, or a type and a number such as a100:4"),
        ('gpus_per_node = "a100:²"', "write a number such as 4"),
        ("gpus_per_node = -1", "write a number such as 4"),
        ("[[override]]\ngpus_per_node = true", "write a number such as 4"),
        ("time = 2", "signal_seconds = 120 is not below the time limit of 120 seconds"),
        ("[[override]]\ntime = 1", "signal_seconds = 120 is not below the time limit of 60 seconds"),
        ("max_submit = 1", "max_submit = 1 is the follow-up job alone"),
        ('[sbatch]\narray = "0-5"', "[sbatch] array: the harness finds its jobs"),
        ('[sbatch]\njob_name = "x"', "[sbatch] job_name: the harness finds its jobs"),
        ("[follow_up.sbatch]\nparsable = true", "[follow_up.sbatch] parsable: the harness finds its jobs"),
    ],
)
def test_a_wrong_profile_is_refused_on_one_line(content, says, tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(SpecError) as error:
        load_profile(str(path))
    assert says in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
    assert len(str(error.value)) < 800


def test_one_queued_task_is_enough_without_a_follow_up_job(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text("max_submit = 1\n[follow_up]\nenabled = false\n[sbatch]\nmem = 0")
    assert load_profile(str(path)).max_submit == 1


def test_a_profile_as_an_editor_of_windows_writes_it_is_read(tmp_path):
    path = tmp_path / "windows.toml"
    path.write_bytes(b'\xef\xbb\xbfpartition = "main"\r\nsetup = ["""\r\nmodule load x\r\n"""]\r\n')
    assert load_profile(str(path)).partition == "main"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.mkdir(), "Is a directory"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is not valid TOML: it is not UTF-8 text"),
        (lambda path: path.write_bytes(b"#" * 2**23), "it has more than"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    ],
    ids=["folder", "fifo", "binary", "huge", "loop"],
)
def test_what_is_no_profile_is_refused_without_waiting(make, says, tmp_path):
    make(path := tmp_path / "odd.toml")
    with pytest.raises(SpecError, match=says) as error:
        load_profile(str(path))
    assert str(path) in str(error.value)


def test_profiles_are_found_without_a_home_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harness.environment.home", lambda: None)
    with pytest.raises(SpecError, match="unknown profile 'mine': allowed: none"):
        load_profile("mine")


def test_a_path_keeps_its_meaning_in_other_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    names = {"mine": "mine", "mine.toml": f"{tmp_path}/mine.toml", "~/mine.toml": "/home/me/mine.toml"}
    assert {name: lasting_name(name) for name in names} == names


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
