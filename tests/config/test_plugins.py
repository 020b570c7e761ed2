"""Plugins are loaded once, the harness's own first; foreign code that fails is told on one line."""

import re
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import pytest
from pydantic import BaseModel, model_validator

from harness import INSTALL
from harness.config import plugins
from harness.config.arguments import checked_arguments
from harness.config.guard import asking, expect, expect_function
from harness.config.plugins import KINDS, PAPERS, Plugin, load_plugins, offers, reason
from harness.errors import MissingRequirement, SpecError, UnknownKindError


def entry(name, value, group=PAPERS, of="brew-paper"):
    return EntryPoint(name, value, group)._for(SimpleNamespace(name=of, version="1.2") if of else None)


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """Offer entry points with modules of the given sources."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def offer(*entries, **sources):
        for module, source in sources.items():
            (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.setattr(plugins, "entry_points", lambda: EntryPoints(entries))
        plugins._loaded.cache_clear()

    yield offer
    for module in [name for name in set(sys.modules) - before if name.startswith("brew_")]:
        del sys.modules[module]
    plugins._loaded.cache_clear()


def test_offers_of_the_harness_come_first_then_kinds_and_papers_by_name(offered):
    offered(
        entry("b", "m:P"), entry("a", "m:P"), entry("c", "m", KINDS), entry("d", "m:P", of=None),
        entry("z", "m:P", of="paper-harness"), entry("y", "m", KINDS, of="paper-harness"),
    )  # fmt: skip
    assert [offer.name for offer in offers()] == ["y", "z", "c", "a", "b", "d"]


def test_a_plugin_is_loaded_once_in_silence_and_sees_no_others(offered, capsys):
    source = """
from harness.config.plugins import load_plugins
print("loading")
PAPER = load_plugins()
"""
    offered(entry("brew", "brew_nested:PAPER"), brew_nested=source)
    loaded = load_plugins()
    assert loaded == (Plugin("brew", PAPERS, "brew-paper 1.2", value=()),)
    assert load_plugins() is loaded
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (entry("a", "brew_bad PAPER"), "its entry point 'brew_bad PAPER' is not of the form package.module:NAME"),
        (entry("a", "brew_bad:PAPER"), "ZeroDivisionError: division by zero (brew_bad.py, line 2)"),
        (entry("a", "brew_exit:PAPER"), "SystemExit: 3 (brew_exit.py, line 1)"),
        (entry("a", "brew_empty:PAPER"), "AttributeError: module 'brew_empty' has no attribute 'PAPER'"),
        (entry("a", "brew_gone.x:PAPER"), "its package 'brew_gone' is not installed: python -m pip install brew-paper"),
        (entry("a", "brew_gone:PAPER", of="paper-harness"), f"its package 'brew_gone' is not installed: {INSTALL}"),
        (entry("a", "brew_lacks:PAPER"), "ModuleNotFoundError: No module named 'brew_gone' (brew_lacks.py, line 1)"),
        (entry("a", "brew_other:PAPER"), "ImportError: cannot import name 'nothing' from 'json'"),
    ],
)
def test_a_plugin_that_fails_is_kept_with_its_reason(offered, found, says):
    sources = {
        "brew_bad": "\n1 / 0\n", "brew_exit": "raise SystemExit(3)\n", "brew_empty": "", "brew_good": "PAPER = 7\n",
        "brew_lacks": "import brew_gone\n", "brew_other": "from json import nothing\n",
    }  # fmt: skip
    offered(found, entry("b", "brew_good:PAPER"), **sources)
    broken, good = load_plugins()
    assert broken.problem.startswith(says) and broken.value is None
    assert (good.value, good.problem) == (7, "")
    assert load_plugins() == (broken, good)


def test_a_plugin_names_its_distribution():
    assert str(Plugin("brew", PAPERS, "brew-paper 1.2")) == "'brew' of brew-paper 1.2"
    assert str(Plugin("brew", PAPERS, "")) == "'brew'"


def test_a_reason_is_one_short_line():
    assert reason(ValueError("two\n  lines")) == "ValueError: two lines"
    assert reason(ValueError()) == "ValueError: no message"
    assert reason(ValueError("x " * 400)) == f"ValueError: {'x ' * 148}..."
    assert reason(ValueError("x " * 150)) == f"ValueError: {'x ' * 149}x"
    with pytest.raises(SyntaxError) as caught:
        raise SyntaxError("bad", ("f.py", 3, 1, "x", 3, 1))
    assert reason(caught.value) == "SyntaxError: bad (f.py, line 3)"


@pytest.mark.parametrize(
    "fail",
    [lambda: expect(int, "x", "it"), lambda: exec("1 / 0"), lambda: import_module("not_there"), lambda: Refusing()],
)
def test_a_reason_is_where_foreign_code_was_last(fail):
    """Not in the harness, in Python or in pydantic, which that code has called."""
    with pytest.raises((SpecError, ArithmeticError, ImportError, RuntimeError)) as caught:
        fail()
    assert re.search(r" \(test_plugins\.py, line \d+\)$", reason(caught.value))


class Refusing(BaseModel):
    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, values, handler):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("raised", "kind", "says"),
    [
        (UnknownKindError("a"), UnknownKindError, "labels: a"),
        (SpecError("a"), SpecError, "labels: a"),
        (MissingRequirement("a", "b"), MissingRequirement, "a: b"),
        (KeyError("a"), SpecError, "labels: KeyError: 'a' (test_plugins.py, line"),
    ],
)
def test_an_error_of_foreign_code_begins_with_what_was_asked(raised, kind, says):
    with pytest.raises(kind) as caught, asking("labels"):
        raise raised
    assert type(caught.value) is kind and str(caught.value).startswith(says)


def test_objects_of_foreign_code_are_of_the_expected_type():
    assert expect(int, 3, "the result") == 3
    expect_function(len, "shrink", "a run")
    told = []
    for ask in (
        lambda: expect(int, "x", "the result"),
        lambda: expect(str, 3, "the result"),
        lambda: expect(dict, None, "the result"),
        lambda: expect_function(3, "shrink", "a run"),
        lambda: expect_function(None, "shrink", "a run"),
        lambda: expect_function([], "shrink", "a run"),
    ):
        with pytest.raises(SpecError) as caught:
            ask()
        told.append(str(caught.value))
    assert told == [
        "the result is a str, not an int", "the result is an int, not a str", "the result is None, not a dict",
        "shrink is an int, not a function of a run", "shrink is None, not a function of a run",
        "shrink is a list, not a function of a run",
    ]  # fmt: skip


@checked_arguments
@dataclass(frozen=True)
class Point:
    x: float
    y: float
    name: str = ""


def test_a_dataclass_with_all_arguments_is_made():
    assert Point(1, 2) == Point(x=1, y=2) == Point(1, y=2, name="") and Point(1, 2, "a").name == "a"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Point(1, 2, "a", 4), "Point(1, ...) has 4 values; its fields, in order: x, y, name"),
        (lambda: Point(1, 2, x=3), "Point(1, ...) has two values for x; its fields, in order: x, y, name"),
        (lambda: Point(1, 2, x=3, y=3), "Point(1, ...) has two values for x, y; its fields, in order: x, y, name"),
        (lambda: Point(1), "Point(1, ...) lacks y; its fields, in order: x, y, name"),
        (lambda: Point(), "Point(...) lacks x, y; its fields, in order: x, y, name"),
        (lambda: Point(x="a"), "Point('a', ...) lacks y; its fields, in order: x, y, name"),
        (lambda: Point(1, 2, nme="a"), "unknown field of Point 'nme': did you mean 'name'? allowed: name, x, y"),
    ],
)
def test_arguments_of_a_dataclass_that_do_not_fit_are_told_in_order(make, says):
    with pytest.raises(SpecError) as caught:
        make()
    assert str(caught.value) == says
