"""What a user did wrong, in one line, and nothing is started or lost."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from slurm_processes import processes_of

from harness.lab import programs
from harness.lab.cli import main
from harness.lab.folder import LONGEST_FOLDER


@pytest.fixture
def said(capsys):
    """Run a command in this process; return its exit code and the lines on standard error."""

    def run(*arguments):
        code = main(list(map(str, arguments)))
        return code, capsys.readouterr().err.splitlines()

    return run


def test_missing_programs_are_named_with_the_command_that_brings_them(said, tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "SYSTEM", "/nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    code, lines = said("start", "--folder", tmp_path / "lab")
    apt = "sudo apt-get install -y --no-install-recommends slurm-wlm munge slurmdbd mariadb-server"
    assert (code, lines) == (1, [f"lab: slurmctld, slurmd, munged, slurmdbd, mariadbd not found: {apt}"])
    code, lines = said("start", "--folder", tmp_path / "lab", "--no-accounting")
    assert lines[0].endswith(" slurm-wlm")
    assert not (tmp_path / "lab").exists()


@pytest.fixture
def installed(slurm_lab):
    """Skip where no lab can start."""


@pytest.mark.usefixtures("installed")
class TestWithPrograms:
    def test_a_daemon_that_fails_is_named_with_its_last_words(self, said, tmp_path, monkeypatch):
        (tmp_path / "bin").mkdir()
        broken = tmp_path / "bin" / "slurmd"
        broken.write_text("#!/bin/sh\necho out of order\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", str(broken.parent), prepend=":")
        folder = tmp_path / "lab"
        code, lines = said("start", "--folder", folder, "--no-accounting")
        assert code == 1
        assert lines[0].startswith("lab: node1 ended while it was starting")
        assert lines[1:] == ["  out of order"]
        assert not processes_of(folder)
        assert "out of order" in (folder / "log" / "node1.out").read_text()

    def test_a_port_that_is_taken_is_named(self, said, tmp_path):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            code, lines = said("start", "--no-accounting", "--folder", tmp_path / "lab", "--port", port - 2)
        assert (code, len(lines)) == (2, 1)
        assert f"port {port} is busy" in lines[0]
        assert not processes_of(tmp_path / "lab")

    def test_folders_that_cannot_be_are_refused(self, said, tmp_path):
        long = tmp_path / ("x" * LONGEST_FOLDER)
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "thesis.tex").write_text("all of it")
        (tmp_path / "file").touch()
        for folder, words in (
            (long, f"too long for unix sockets: {len(str(long))} characters, at most {LONGEST_FOLDER}"),
            (tmp_path / "a b", "letters, digits"),
            (tmp_path / "full", "holds other things (thesis.tex)"),
            (tmp_path / "file", "file"),
        ):
            for command in ("start", "stop"):
                code, lines = said(command, "--folder", folder)
                if command == "start" or folder.is_dir():
                    assert code != 0 and len(lines) == 1, lines
                    assert words in lines[0]
        assert (tmp_path / "full" / "thesis.tex").read_text() == "all of it"

    def test_accounting_without_authentication_is_refused(self, said, tmp_path):
        code, lines = said("start", "--folder", tmp_path / "lab", "--accounting", "--auth", "none")
        assert (code, len(lines)) == (2, 1)
        assert "--accounting needs --auth munge" in lines[0]


def test_commands_of_a_lab_that_is_not_there_say_so(said, tmp_path):
    for command in (["env"], ["kill", "node1"], ["restart", "node1"]):
        assert said(*command, "--folder", tmp_path) == (1, [f"lab: no lab in {tmp_path}: start one"])
    assert said("stop", "--folder", tmp_path / "none")[0] == 0
    assert said("strat")[0] == 2


def test_unknown_nodes_are_answered_with_the_nearest(said, slurm_lab):
    code, lines = said("kill", "--folder", slurm_lab.folder.path, "nod2")
    assert code == 2
    assert "did you mean 'node2'?" in lines[0]
    code, lines = said("restart", "--folder", slurm_lab.folder.path, "node2")
    assert code == 1
    assert "node2 is not dead" in lines[0]
    assert all(slurm_lab.daemons_alive().values())


def test_a_python_without_the_packages_is_told_how_to_get_them():
    command = [sys.executable, "-S", "-m", "harness.lab", "status"]  # -S: without site-packages
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env={}, capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "pip install" in done.stderr
