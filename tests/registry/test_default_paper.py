"""The default paper: of the environment variable, else of the nearest project, else the first paper."""

import pytest

from harness.errors import SpecError
from harness.registry.default_paper import DefaultPaper, default_paper


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Run outside of any project, with no paper chosen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_PAPER", raising=False)


PROJECT = "[tool.harness]\npaper = {}\n"


@pytest.mark.parametrize(
    ("variable", "files", "name", "origin"),
    [
        (
            " toy ",
            {"pyproject.toml": PROJECT.format("'mine'")},
            "toy",
            " (set by the environment variable HARNESS_PAPER)",
        ),
        (
            " ",
            {"pyproject.toml": PROJECT.format("'mine'")},
            "mine",
            " (set by [tool.harness] paper in {}/pyproject.toml)",
        ),
        (
            None,
            {"pyproject.toml": "\ufeff" + PROJECT.format("'mine'")},
            "mine",
            " (set by [tool.harness] paper in {}/py",
        ),
        (None, {"inner/pyproject.toml": "", "pyproject.toml": PROJECT.format("'mine'")}, "hybvit", ""),
        (
            None,
            {"inner/x": "", "pyproject.toml": PROJECT.format("'mine'")},
            "mine",
            " (set by [tool.harness] paper in {}/p",
        ),
        (
            None,
            {"inner/pyproject.toml": PROJECT.format("'it'"), "pyproject.toml": "["},
            "it",
            " (set by [tool.harness] pa",
        ),
        (None, {"pyproject.toml": PROJECT.format("''")}, "hybvit", ""),
        (None, {"pyproject.toml": "[tool.other]\n"}, "hybvit", ""),
    ],
)
def test_the_default_paper_is_that_of_the_variable_else_of_the_nearest_project(
    tmp_path, monkeypatch, variable, files, name, origin
):
    for file, text in {"inner/y": "", **files}.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    monkeypatch.chdir(tmp_path / "inner")
    if variable is not None:
        monkeypatch.setenv("HARNESS_PAPER", variable)
    told = default_paper()
    assert (told.name, bool(told.origin)) == (name, bool(origin)) and told.origin.startswith(origin.format(tmp_path))
    assert DefaultPaper("a").origin == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[tool.harness]\npaper = 3\n", "pyproject.toml: .tool.harness. paper = 3 is not a paper name$"),
        (b"[tool.harness\n", "pyproject.toml: cannot read the default paper: .*; fix the file or set HARNESS_PAPER$"),
        (
            b"[tool]\nharness = 'toy'\n",
            "pyproject.toml: cannot read the default paper: .*; fix the file or set HARNESS",
        ),
        (b"\xff\xfe", "pyproject.toml: cannot read the default paper: .*; fix the file or set HARNESS_PAPER$"),
    ],
)
def test_a_project_with_no_readable_default_is_refused(tmp_path, text, says):
    (tmp_path / "pyproject.toml").write_bytes(text)
    with pytest.raises(SpecError, match=says):
        default_paper()
