"""Implementations that fail to load are one-line errors, whatever a paper's module does."""

import pytest

from harness.config.resolve import resolve
from harness.errors import SpecError


@pytest.mark.parametrize(
    ("source", "name", "says"),
    [
        ("value = 3\n", "{module}.value", "'{module}.value' is not of the form 'module:name'"),
        ("value = 3\n", "{module}:other", "cannot be loaded: module '{module}' has no attribute 'other'"),
        ("value = (\n", "{module}:value", "cannot be loaded: SyntaxError: '(' was never closed ({module}.py, line 1)"),
        ("1 / 0\n", "{module}:value", "cannot be loaded: ZeroDivisionError: division by zero ({module}.py, line 1)"),
        ("import not_there\n", "{module}:value", "cannot be imported: No module named 'not_there'"),
    ],
)
def test_what_cannot_be_loaded_is_said_on_one_line(tmp_path, monkeypatch, request, source, name, says):
    module = f"resolved_{abs(hash(request.node.name))}"
    (tmp_path / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpecError) as caught:
        resolve(name.format(module=module))
    assert says.format(module=module) in str(caught.value) and "\n" not in str(caught.value)


def test_what_can_be_loaded_is_the_thing_itself():
    assert resolve("harness.errors:SpecError") is SpecError


@pytest.mark.parametrize(
    ("missing", "raised"),
    [("numba", ModuleNotFoundError), ("harness.nowhere", SpecError), ("harness", SpecError), (None, SpecError)],
)
def test_a_library_that_the_harness_lacks_is_left_to_the_command_line(monkeypatch, missing, raised):
    def fail(name):
        raise ModuleNotFoundError(f"No module named '{missing}'", name=missing)

    monkeypatch.setattr("harness.config.resolve.resolve_name", fail)
    with pytest.raises(raised):
        resolve("harness.nowhere:name")
