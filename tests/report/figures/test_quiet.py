"""The folders that Matplotlib and fontconfig get."""

import os
from pathlib import Path

import pytest

from harness import environment
from harness.report.figures import quiet

NAMES = ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Prepare with these variables; return those that changed."""
    monkeypatch.setattr(quiet, "_temporary", [])
    monkeypatch.setattr(environment, "home", lambda: tmp_path)

    def prepare(**given):
        for name in (*NAMES, "MPLBACKEND"):
            monkeypatch.setenv(name, "restored later")
            monkeypatch.delenv(name)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        quiet.prepare()
        assert os.environ["MPLBACKEND"] == "agg"
        return {name for name in NAMES if os.environ.get(name) != given.get(name)}

    return prepare


def test_a_home_that_can_be_written_changes_nothing(asked, tmp_path):
    assert asked() == set()
    assert asked(MPLCONFIGDIR="", MPLBACKEND="nonsense") == set()
    assert asked(XDG_CACHE_HOME=str(tmp_path / "new" / "cache")) == set()
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("home", [None, Path("/dev/null"), Path("/dev/null/x")])
def test_without_one_there_is_a_temporary_folder(asked, monkeypatch, home):
    monkeypatch.setattr(environment, "home", lambda: home)
    assert asked() == {"MPLCONFIGDIR", "XDG_CACHE_HOME"}
    assert os.environ["MPLCONFIGDIR"] == os.environ["XDG_CACHE_HOME"] == quiet._temporary[0].name
    assert os.access(quiet._temporary[0].name, os.W_OK)


def test_a_folder_of_the_user_is_kept_if_it_can_be_written(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "home", lambda: None)
    assert asked(MPLCONFIGDIR=str(tmp_path)) == {"XDG_CACHE_HOME"}
    assert asked(MPLCONFIGDIR="/dev/null/x", XDG_CACHE_HOME=str(tmp_path)) == {"MPLCONFIGDIR"}


def test_a_folder_that_only_others_may_write_is_none(asked, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert asked() == {"MPLCONFIGDIR", "XDG_CACHE_HOME"}
