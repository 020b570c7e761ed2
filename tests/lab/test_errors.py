"""User errors get a one-line message, and nothing is started or lost."""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from slurm_processes import processes_of

from harness.lab import programs
from harness.lab.cli import main
from harness.lab.folder import LONGEST_FOLDER


@pytest.fixture
def place():
    """A short path: pytest's own may exceed the limit of unix sockets."""
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        yield Path(folder)


@pytest.fixture
def said(capsys):
    """Run a command in this process; return its exit code and the lines on stderr."""

    def run(*arguments):
        code = main(list(map(str, arguments)))
        return code, capsys.readouterr().err.splitlines()

    return run


def test_missing_programs_are_named_with_the_command_that_brings_them(said, place, monkeypatch):
    monkeypatch.setattr(programs, "SYSTEM", "/nowhere")
    monkeypatch.setenv("PATH", str(place))
    code, lines = said("start", "--folder", place / "lab")
    apt = "sudo apt-get install -y --no-install-recommends slurm-wlm munge slurmdbd mariadb-server"
    assert (code, lines) == (1, [f"lab: slurmctld, slurmd, munged, slurmdbd, mariadbd not found: {apt}"])
    code, lines = said("start", "--folder", place / "lab", "--no-accounting")
    assert lines[0].endswith(" slurm-wlm")
    assert not (place / "lab").exists()


@pytest.fixture
def installed(slurm_lab):
    """Skip where no lab can start."""


@pytest.mark.usefixtures("installed")
class TestWithPrograms:
    def test_a_daemon_that_fails_is_named_with_its_last_words(self, said, place, monkeypatch):
        (place / "bin").mkdir()
        broken = place / "bin" / "slurmd"
        broken.write_text("#!/bin/sh\necho out of order\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", str(broken.parent), prepend=":")
        folder = place / "lab"
        code, lines = said("start", "--folder", folder, "--no-accounting")
        assert code == 1
        assert lines[0].startswith("lab: node1 ended while it was starting")
        assert lines[1:] == ["  out of order"]
        assert not processes_of(folder)
        assert "out of order" in (folder / "log" / "node1.out").read_text()

    def test_a_port_that_is_taken_is_named(self, said, place):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            code, lines = said("start", "--no-accounting", "--folder", place / "lab", "--port", port - 2)
        assert (code, len(lines)) == (2, 1)
        assert f"port {port} is busy" in lines[0]
        assert not processes_of(place / "lab")

    def test_folders_that_cannot_be_are_refused(self, said, place):
        long = place / ("x" * LONGEST_FOLDER)
        (place / "full").mkdir()
        (place / "full" / "thesis.tex").write_text("all of it")
        (place / "file").touch()
        for folder, words in (
            (long, f"too long for unix sockets: {len(str(long))} characters, at most {LONGEST_FOLDER}"),
            (place / "a b", "letters, digits"),
            (place / "full", "holds other things (thesis.tex)"),
            (place / "file", "file"),
        ):
            for command in ("start", "stop"):
                code, lines = said(command, "--folder", folder)
                if command == "start" or folder.is_dir():
                    assert code != 0 and len(lines) == 1, lines
                    assert words in lines[0]
        assert (place / "full" / "thesis.tex").read_text() == "all of it"

    def test_accounting_without_authentication_is_refused(self, said, place):
        code, lines = said("start", "--folder", place / "lab", "--accounting", "--auth", "none")
        assert (code, len(lines)) == (2, 1)
        assert "--accounting needs --auth munge" in lines[0]


def test_commands_of_a_lab_that_is_not_there_say_so(said, place):
    for command in (["env"], ["kill", "node1"], ["restart", "node1"]):
        assert said(*command, "--folder", place) == (1, [f"lab: no lab in {place}: start one"])
    assert said("stop", "--folder", place / "none")[0] == 0
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
