"""Standard output that ends early, is full, or cannot show a character; paths and variables of the command line."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import streams
from harness.cli.main import cli
from harness.cli.streams import Messages, Output
from harness.errors import HarnessError


@pytest.fixture
def cut():
    """A pipe whose reader has left."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_output_is_dropped_once_its_reader_has_left(cut, monkeypatch):
    raw = Output(cut, "w", closefd=False)
    stream = streams._text(raw, sys.__stdout__)
    monkeypatch.setattr(sys, "stdout", stream)
    assert not streams.reader_left()
    for _ in range(3):
        print("a line", flush=True)
    assert streams.reader_left()


def test_a_full_disk_is_said_once():
    with open("/dev/full", "wb") as full:
        raw = Output(full.fileno(), "w", closefd=False)
        with pytest.raises(HarnessError, match=f"cannot write standard output: {os.strerror(errno.ENOSPC)}"):
            raw.write(b"a line")
        assert raw.write(b"more") == 4


def test_messages_that_cannot_be_written_are_dropped(cut):
    with open("/dev/full", "wb") as full:
        assert Messages(full.fileno(), "w", closefd=False).write(b"lost") == 4
    assert Messages(cut, "w", closefd=False).write(b"lost") == 4


def test_characters_without_a_code_are_escaped(tmp_path):
    with open(tmp_path / "out", "w", encoding="ascii") as file:
        stream = streams._text(Output(file.fileno(), "w", closefd=False), file)
        print("α \udcff", file=stream, flush=True)
    assert (tmp_path / "out").read_text() == "\\u03b1 \\udcff\n"


def test_exit_codes_do_not_depend_on_who_reads(toy_environment):
    """Closed pipes, full disks and closed descriptors, each of standard output and error."""
    ways = {
        "show toy/table101 | true": (0, ""),
        "show toy/table101 | head -1 >/dev/null": (0, ""),
        "lis 2>&1 | true": (2, ""),
        "show toy/table101 >/dev/full": (1, "harness: cannot write standard output: No space left on device\n"),
        "lis 2>/dev/full": (2, ""),
        "show toy/table101 >&-": (0, ""),
        "lis 2>&-": (2, ""),
    }
    lines = [f"{sys.executable} -m harness {way}; echo ${{PIPESTATUS[0]}}" for way in ways]
    command = ["bash", "-c", "\n".join(f"{{ {line}; }} & wait; echo . >&2" for line in lines)]
    done = subprocess.run(command, env=toy_environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [str(code) for code, _ in ways.values()]
    assert done.stderr.split(".\n")[:-1] == [said for _, said in ways.values()]


ODD = {
    "HARNESS_CHECKPOINT_SECONDS": "abc",
    "HARNESS_JOIN_SECONDS": "-3",
    "HARNESS_INCEPTION_WEIGHTS": "~nobody-here/w",
}


@pytest.mark.parametrize("name", ODD)
def test_commands_that_start_workers_refuse_an_odd_variable(harness, toy_environment, name):
    odd = toy_environment | {name: ODD[name]}
    for command in (("run", "toy/table101"), ("retry", "--failed")):
        done = harness(*command, env=odd)
        assert (done.returncode, done.stdout) == (2, "")
        assert name in done.stderr and done.stderr.count("\n") == 1
    assert harness("status", env=odd).returncode == 0


@pytest.mark.parametrize("blank", ["", " "])
def test_blank_variables_leave_the_default_folders(monkeypatch, blank):
    monkeypatch.setenv("HARNESS_RESULTS", blank)
    monkeypatch.setenv("HARNESS_DATA", blank)
    given = cli.make_context("harness", ["status"]).params
    assert (given["results"], given["data"]) == (Path("results"), Path("data"))


@pytest.mark.parametrize("option", ["--results", "--data"])
def test_an_empty_folder_is_refused(harness, option):
    done = harness(option, "", "status")
    assert done.returncode == 2
    assert f"'{option}': it is empty: give a path, or leave the option out" in done.stderr


def test_a_tilde_that_no_shell_has_seen_is_expanded(harness, toy_environment, tmp_path):
    (tmp_path / "home").mkdir()
    at_home = toy_environment | {"HOME": str(tmp_path / "home")}
    assert f"no runs in {tmp_path}/home/res" in harness("status", results="~/res", env=at_home).stdout
