"""Environment variables of our own: empty, odd or missing ones, the home folder, the user."""

import pwd
from pathlib import Path

import pytest

from harness import environment
from harness.errors import SpecError
from harness.natural import natural

BLANK = ["", " ", "\t"]


def nobody(*_):
    raise KeyError("uid not found")


@pytest.fixture
def homeless(monkeypatch):
    """A user without HOME, USER, LOGNAME and without an entry in the user database."""
    for name in ("HOME", "USER", "LOGNAME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr("os.getuid", lambda: 54321)


@pytest.mark.parametrize("blank", BLANK)
def test_a_blank_variable_counts_as_unset(monkeypatch, blank):
    for name in (environment.RESULTS, environment.CHECKPOINT, environment.JOIN, "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, blank)
    monkeypatch.setenv("HOME", "/home/me")
    assert environment.text(environment.RESULTS) is None
    assert environment.path(environment.RESULTS) is None
    assert (environment.checkpoint_seconds(), environment.join_seconds()) == (5.0, 600.0)
    assert environment.torch_hub() == Path("/home/me/.cache/torch/hub")


@pytest.mark.parametrize(("given", "seconds"), [("0", 0.0), (" 2.5 ", 2.5), ("1e3", 1000.0)])
def test_seconds_are_read(monkeypatch, given, seconds):
    monkeypatch.setenv(environment.CHECKPOINT, given)
    assert environment.checkpoint_seconds() == seconds


@pytest.mark.parametrize("given", ["abc", "-1", "nan", "inf", "1e999", "5s", "9" * 5000, "0x5"])
@pytest.mark.parametrize("name", [environment.CHECKPOINT, environment.JOIN])
def test_seconds_that_are_none_are_refused_on_one_line(monkeypatch, name, given):
    monkeypatch.setenv(name, given)
    with pytest.raises(SpecError) as error:
        environment.check()
    said = str(error.value)
    assert name in said and given[:5] in said and "allowed: a number of seconds" in said
    assert "\n" not in said and len(said) < 200


def test_zero_is_no_time_to_join(monkeypatch):
    monkeypatch.setenv(environment.JOIN, "0")
    with pytest.raises(SpecError, match="HARNESS_JOIN_SECONDS is '0'"):
        environment.join_seconds()


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv(environment.RESULTS, "~/results")
    assert environment.path(environment.RESULTS) == Path("/home/me/results")
    root = Path(pwd.getpwuid(0).pw_dir)
    given = {"~": "/home/me", "~//a": "/home/me/a", "./~": "./~", "a~/b": "a~/b", "~root/a": root / "a", "": ""}
    assert {text: environment.expand(text, "it") for text in given} == {k: Path(v) for k, v in given.items()}


@pytest.mark.parametrize("home", ["", "relative", "."])
def test_a_home_that_is_no_folder_of_the_root_is_looked_up(monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    assert environment.home() == Path(pwd.getpwuid(0).pw_dir if environment.os.getuid() == 0 else Path.home())


def test_a_user_without_home_and_name_is_a_number(homeless, monkeypatch):
    assert environment.home() is environment.state_folder() is environment.torch_hub() is None
    assert environment.user() == "54321"
    with pytest.raises(SpecError, match=r"--data is '~/x': there is no home folder for ~; give the whole path"):
        environment.expand("~/x", "--data")
    monkeypatch.setenv("TORCH_HOME", "/torch")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert (environment.torch_hub(), environment.state_folder()) == (Path("/torch/hub"), Path("/state"))


def test_an_unknown_user_has_no_home():
    with pytest.raises(SpecError, match="no home folder for ~no-such-user"):
        environment.expand("~no-such-user/x", "--results")


def test_the_name_in_the_environment_does_not_count(monkeypatch):
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert environment.user() != "somebody-else"


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_natural_numbers_are_read(text, number):
    assert natural(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "²", "٣", "1_0", "9" * 19, "9" * 5000])
def test_no_other_text_is_a_natural_number(text):
    assert natural(text) is None
