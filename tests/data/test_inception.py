"""Weights of the Inception network: preparation, lookup, refusal."""

import hashlib
import os
import pickle
import zipfile
from contextlib import suppress
from dataclasses import replace
from io import BytesIO

import pytest
import torch

from harness.cli.main import main
from harness.data import inception
from harness.data.errors import DataError
from harness.data.inception import WEIGHTS, find_weights
from harness.data.tensors import read_tensors
from harness.errors import MissingRequirement


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A small file accepted as the published weights, and an empty torch cache."""
    path = tmp_path / "small.pth"
    torch.save({"weight": torch.arange(6.0)}, path)
    content = path.read_bytes()
    published = replace(WEIGHTS, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(inception, "WEIGHTS", published)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("HARNESS_INCEPTION_WEIGHTS", raising=False)
    return path


@pytest.fixture
def data_command(tmp_path, capsys):
    def run(*arguments):
        code = main(["--data", str(tmp_path / "data"), "data", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def other(folder):
    path = folder / "other.pth"
    torch.save({"weight": torch.zeros(6)}, path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def test_the_published_hash_is_the_one_in_the_file_s_name():
    assert WEIGHTS.sha256.startswith(WEIGHTS.name.removesuffix(".pth").rpartition("-")[2])


def test_prepared_weights_are_found_listed_and_verified(small, tmp_path, data_command):
    code, out, err = data_command("prepare", "inception", "--from", small)
    assert (code, err) == (0, "")
    assert f"inception: prepared in {tmp_path / 'data' / 'inception'}" in out
    assert "was prepared already" in data_command("prepare", "inception", "--from", small)[1]
    path, content, sha256 = find_weights(tmp_path / "data", None)
    assert (content, sha256) == (small.read_bytes(), inception.WEIGHTS.sha256)
    line = next(line for line in data_command("list")[1].splitlines() if line.startswith("inception"))
    assert " yes " in line
    assert data_command("verify")[:2] == (0, f"inception/{WEIGHTS.name}: as prepared\n")
    path.write_bytes(content[:-1] + b"?")
    code, out, _ = data_command("verify", "inception")
    assert code == 1
    assert "changed: SHA-256" in out
    with pytest.raises(MissingRequirement, match="is another file"):
        find_weights(tmp_path / "data", None)


@pytest.mark.parametrize("name", ["weights-inception-2015-12-05-6726825d.pth", "pt_inception-2015-12-05-6726825d.pth"])
def test_weights_in_the_cache_of_torch_are_found(small, tmp_path, name):
    cached = tmp_path / "torch" / "hub" / "checkpoints" / name
    cached.parent.mkdir(parents=True)
    os.link(small, cached)
    assert find_weights(tmp_path / "data", None)[0] == cached


def test_weights_in_the_environment_are_found_and_wrong_ones_complained_of(small, tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_INCEPTION_WEIGHTS", str(small))
    assert find_weights(tmp_path / "data", None)[0] == small
    monkeypatch.setenv("HARNESS_INCEPTION_WEIGHTS", str(tmp_path / "absent.pth"))
    with pytest.raises(MissingRequirement, match=r"absent\.pth: No such file"):
        find_weights(tmp_path / "data", None)


def test_what_is_no_file_of_weights_is_complained_of_without_waiting(small, tmp_path, monkeypatch):
    os.mkfifo(pipe := tmp_path / "pipe.pth")
    for path, says in ((pipe, "it is not a regular file"), ("/dev/zero", "it is not a regular file")):
        monkeypatch.setenv("HARNESS_INCEPTION_WEIGHTS", str(path))
        with pytest.raises(MissingRequirement, match=f"{path}: {says}"):
            find_weights(tmp_path / "data", None)
    monkeypatch.setenv("HARNESS_INCEPTION_WEIGHTS", str(small))
    monkeypatch.setattr(inception, "LARGEST", 9)
    with pytest.raises(MissingRequirement, match=r"small\.pth: it has more than 9 bytes"):
        find_weights(tmp_path / "data", None)


def test_without_weights_the_error_has_the_command(small, tmp_path):
    with pytest.raises(MissingRequirement) as caught:
        find_weights(tmp_path / "my data", None)
    assert caught.value.what == "needs Inception weights"
    command = f"python -m harness --data '{tmp_path / 'my data'}' data prepare inception --download"
    assert caught.value.how.startswith(command)


def test_other_weights_need_consent_and_never_pass_for_the_published_ones(small, tmp_path, data_command):
    path, digits = other(tmp_path)
    code, _, err = data_command("prepare", "inception", "--from", path)
    assert code == 1
    assert err.count("\n") == 1
    assert "--unverified" in err
    code, out, _ = data_command("prepare", "inception", "--from", path, "--unverified")
    assert code == 0
    assert f"--also weights={digits}" in out
    assert f"inception-{digits}" in data_command("list")[1]
    assert find_weights(tmp_path / "data", digits)[1] == path.read_bytes()
    with pytest.raises(MissingRequirement, match=f"needs Inception weights.*--also weights={digits}"):
        find_weights(tmp_path / "data", None)


def test_a_hostile_file_is_not_even_prepared(small, tmp_path, data_command):
    evil = tmp_path / "evil.pth"
    for content in hostile_files(tmp_path / "executed"):
        evil.write_bytes(content)
        code, _, err = data_command("prepare", "inception", "--from", evil, "--unverified")
        assert (code, err.count("\n")) == (1, 1)
        assert "evil.pth" in err
        assert not (tmp_path / "executed").exists()
        assert not [*tmp_path.glob("data/inception*/manifest.json")]


class Executes:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def hostile_files(mark):
    """Files that execute code or crash a careless reader."""
    state = {"weight": torch.zeros(3), "evil": Executes(mark)}
    for modern in (True, False):
        buffer = BytesIO()
        torch.save(state, buffer, _use_new_zipfile_serialization=modern)
        yield buffer.getvalue()
    yield pickle.dumps(Executes(mark))
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Executes(mark)))
        file.writestr("archive/version", "3\n")
    yield archive.getvalue()


@pytest.mark.parametrize("index", range(4))
def test_hostile_weights_execute_nothing(small, tmp_path, index):
    content = list(hostile_files(tmp_path / "executed"))[index]
    with pytest.raises(DataError) as caught:
        read_tensors(content, tmp_path / "evil.pth")
    assert "\n" not in str(caught.value)
    assert "evil.pth" in str(caught.value)
    assert not (tmp_path / "executed").exists()
    with suppress(Exception):
        torch.load(BytesIO(content), weights_only=False)  # a careless reader does execute it
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize("modern", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_truncated_weights_are_one_line(modern, share, tmp_path):
    buffer = BytesIO()
    torch.save({"weight": torch.randn(1000)}, buffer, _use_new_zipfile_serialization=modern)
    content = buffer.getvalue()
    assert read_tensors(content, tmp_path / "whole.pth")["weight"].shape == (1000,)
    with pytest.raises(DataError) as caught:
        read_tensors(content[: int(share * len(content))], tmp_path / "torn.pth")
    assert "\n" not in str(caught.value)


def test_what_is_no_state_dict_is_refused(tmp_path):
    buffer = BytesIO()
    torch.save([torch.zeros(2)], buffer)
    with pytest.raises(DataError, match="something other than named tensors"):
        read_tensors(buffer.getvalue(), tmp_path / "list.pth")
