"""Papers are found through entry points alone; a broken paper is reported and affects no other."""

import json
from dataclasses import replace

import pytest
from distributions import install, on_path
from toy_paper import PAPER as TOY

from harness import INSTALL
from harness.config.plugins import KINDS, PAPERS, Plugin
from harness.errors import SpecError
from harness.registry import papers as module
from harness.registry.papers import broken, broken_papers, find_exhibits, find_paper, papers

GOOD = """
from toy_paper import PAPER as TOY
from dataclasses import replace

PAPER = replace(TOY, name="good")
"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Run outside of any project, with no paper chosen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_PAPER", raising=False)


@pytest.fixture
def command(toy_environment, harness, tmp_path):
    def run(*arguments, plugins=(), way=harness.warm, **variables):
        environment = on_path(toy_environment, *plugins) | variables
        return way(*arguments, env=environment, cwd=tmp_path)

    return run


def names(*wanted):
    return [f"{paper.name}/{exhibit.name}" for paper, exhibit in find_exhibits(wanted)]


def test_the_first_paper_is_there():
    assert papers()["hybvit"].url.endswith("2208.07791")
    assert not broken_papers()


@pytest.mark.parametrize("name", ["table6", "hybvit/table6", "hybvit", "all", "hybvit/tables", "tables", "papers"])
def test_exhibits_are_found_by_short_and_full_names(name):
    assert "hybvit/table6" in names(name)


def test_groups_leave_out_what_is_optional_and_what_is_of_another_kind():
    assert "hybvit/table5-schedules" not in names("all")
    assert {name.partition("/")[2][:6] for name in names("figures")} == {"figure"}


def test_a_table_that_is_named_twice_comes_once():
    assert names("table6", "hybvit/table6") == ["hybvit/table6"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("tabel6", ["'tabel6' of paper 'hybvit'", "did you mean 'table6'", "table13"]),
        ("hybvit/tabel6", ["'tabel6' of paper 'hybvit'", "did you mean 'table6'"]),
        ("", ["unknown table or figure ''"]),
        ("hybvti/table6", ["unknown paper 'hybvti'", "did you mean 'hybvit'"]),
        ("hybvti", ["did you mean 'hybvit'"]),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, parts):
    with pytest.raises(SpecError) as caught:
        find_exhibits([name])
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_a_bare_name_is_the_default_paper_s_whatever_is_installed(command):
    listed = json.loads(command("list", "--json").stdout)
    assert {"hybvit", "toy"} <= {entry["paper"] for entry in listed}
    refused = command("show", "table101")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "did you mean 'toy/table101'?" in refused.stderr
    assert command("show", "table6").returncode == 0


@pytest.mark.parametrize(
    ("variable", "project", "expected"),
    [
        ("toy", "hybvit", "toy"),
        ("", "toy", "toy"),
        ("", None, "hybvit"),
    ],
)
def test_the_default_paper_follows_the_documented_precedence(command, tmp_path, variable, project, expected):
    if project:
        (tmp_path / "pyproject.toml").write_text(f'[tool.harness]\npaper = "{project}"\n')
    shown = command("plan", "tables", "--json", HARNESS_PAPER=variable)
    assert {name.partition("/")[0] for run in json.loads(shown.stdout)["runs"] for name in run["tables"]} == {expected}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[tool.harness]\npaper = 3\n", "paper = 3 is not a paper name"),
        ("[tool.harness\n", "cannot read the default paper"),
        ('[tool]\nharness = "toy"\n', "cannot read the default paper"),
        (f"deep = {'[' * 3000}", "cannot read the default paper"),
        (f"long = {'9' * 5000}", "cannot read the default paper: Exceeds the limit (4300 digits)"),
        ("#" * (2**22 + 1), "cannot read the default paper"),
        ('[tool.harness]\npaper = "tyo"\n', "unknown paper 'tyo': did you mean 'toy'?"),
    ],
)
def test_a_project_that_names_no_paper_is_told_so_in_a_line(command, tmp_path, text, part):
    (tmp_path / "pyproject.toml").write_text(text)
    refused = command("show", "table6")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert part in refused.stderr and "pyproject.toml" in refused.stderr
    assert command("show", "hybvit/table6").returncode == 0, "full names need no default paper"


BROKEN = {
    "import": ("import not_there\n", "ModuleNotFoundError: No module named 'not_there' ({module}.py, line 1)"),
    "syntax": ("PAPER = (\n", "SyntaxError"),
    "no paper": ("PAPER = 3\n", "its entry point names an object of type int, not a Paper"),
    "no attribute": ("OTHER = 3\n", "has no attribute 'PAPER'"),
    "exit": ("print('training ...')\nraise SystemExit(3)\n", "SystemExit: 3 ({module}.py, line 2)"),
    "specification": ("from harness.config.networks import ViT\nPAPER = ViT(dim=5)\n", "'depth' is missing"),
    "kind that is taken": (
        """
        from typing import Literal
        from harness.config.networks import Network
        class Mine(Network):
            kind: Literal["vit"] = "vit"
        PAPER = Mine()
        """,
        "the network kind 'vit' belongs to harness.config.networks.vit.ViT",
    ),
    "name that is taken": ("from toy_paper import PAPER\n", "another paper is already called 'toy'"),
    "reserved name": (
        "from dataclasses import replace\nfrom toy_paper import PAPER as TOY\nPAPER = replace(TOY, name='all')\n",
        "invalid paper name 'all'",
    ),
    "protocol": (
        """
        from dataclasses import replace
        from toy_paper import PAPER as TOY
        PAPER = replace(TOY, name="fault9", protocol=lambda metric, run: None)
        """,
        "fault9/table101, row 'Hybrid_α=10 (100%)': protocol of paper 'fault9' for metric 'accuracy' of run 'hybrid': "
        "the result is None, not an Evaluation",
    ),
    "no entry point": ("PAPER = 3\n", "its entry point '{module} PAPER' is not of the form package.module:NAME"),
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    """Distributions with one fault each, all installed at once, next to a valid one."""
    folder = tmp_path_factory.mktemp("plugins")
    for number, (source, reason) in enumerate(BROKEN.values()):
        module = f"fault{number}"
        value = f"{module} PAPER" if "is not of the form" in reason else f"{module}:PAPER"
        install(folder, f"{module}-paper", {f"{module}.py": source}, papers=[f"{module} = {value}"])
    return install(folder, "good-paper", {"good.py": GOOD}, papers=["good = good:PAPER"])


def complaint(number):
    return f"paper 'fault{number}' of fault{number}-paper 1.0 cannot be used: "


def test_broken_papers_are_named_and_harm_no_other(command, faults):
    listed = command("list", plugins=[faults])
    assert listed.returncode == 0
    lines = listed.stderr.splitlines()
    assert len(lines) == len(BROKEN)
    for number, (_, reason) in enumerate(BROKEN.values()):
        (line,) = [line for line in lines if line.startswith(complaint(number))]
        assert reason.format(module=f"fault{number}") in line
    assert all(name in listed.stdout for name in ("hybvit/table6", "toy/table101", "good/table101"))
    assert "training ..." not in listed.stdout, "what a plugin prints is no output of the command"
    assert command("list", "--json", plugins=[faults]).stdout.startswith("[")
    for arguments in (["plan", "table6"], ["show", "good/table101"], ["report", "table6", "--no-figures"]):
        assert command(*arguments, plugins=[faults]).returncode == 0, arguments


@pytest.mark.parametrize("arguments", [["plan", "fault0"], ["run", "fault0/table1"], ["plan", "papers"]])
def test_what_asks_for_a_broken_paper_fails_with_its_reason(command, faults, arguments):
    refused = command(*arguments, plugins=[faults])
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"harness: {complaint(0)}ModuleNotFoundError")
    assert refused.stderr.count("\n") == 1


def test_the_doctor_names_broken_papers(command, faults):
    said = command("doctor", "--json", plugins=[faults])
    papers = next(check for check in json.loads(said.stdout)["extras"] if check["name"] == "papers")
    assert papers["state"] == "degraded" and {"hybvit", "good", "toy"} <= set(papers["facts"]["papers"])
    assert [paper["distribution"] for paper in papers["facts"]["broken"]][:1] == ["fault0-paper 1.0"]


def test_a_folder_called_experiments_is_neither_run_nor_imported(command, harness, tmp_path):
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('imported')\n")
    (folder / "train.py").write_text("open('trained', 'w')\n")
    listed = command("list", way=harness.process)
    assert listed.returncode == 0 and "hybvit/table6" in listed.stdout
    assert not (tmp_path / "trained").exists()


PLUGINS = (
    Plugin("mine", PAPERS, "mine-paper 1", replace(TOY, name="mine", url="u")),
    Plugin("copy", PAPERS, "copy-paper 1", replace(TOY, url="another")),
    Plugin("toy", PAPERS, "toy-paper 1", TOY),
    Plugin("kinds", KINDS, "kinds-paper 1", value=json),
    Plugin("number", PAPERS, "number-paper 1", value=3),
    Plugin("fault", PAPERS, "", problem="it is broken"),
    Plugin("bad", KINDS, "bad-paper 1", problem="so is this"),
)


@pytest.fixture
def loaded(monkeypatch):
    """Install papers and kinds for this process."""

    def call(*plugins):
        monkeypatch.setattr(module, "load_plugins", lambda: plugins)
        module._loaded_papers.cache_clear()

    yield call
    module._loaded_papers.cache_clear()


def test_papers_that_cannot_be_used_do_not_hide_the_others(loaded):
    loaded(*PLUGINS)
    assert list(papers()) == ["mine", "toy"] and papers()["toy"] is TOY
    assert [str(paper) for paper in broken_papers()] == [
        "paper 'number' of number-paper 1 cannot be used: its entry point names an object of type int, not a Paper",
        "paper 'fault' of an unknown distribution cannot be used: it is broken",
        "paper 'bad' of bad-paper 1 cannot be used: so is this",
        "paper 'copy' of copy-paper 1 cannot be used: another paper is already called 'toy'",
    ]
    assert str(broken(TOY, ValueError("why"))) == "paper 'toy' of toy-paper 1 cannot be used: why"
    unknown = broken(replace(TOY, name="other"), ValueError("why"))
    assert str(unknown) == "paper 'other' of an unknown distribution cannot be used: why"
    papers().clear()
    assert list(papers()) == ["mine", "toy"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["all"], ["toy/table101", "toy/table102", "toy/table103", "toy/figure1"]),
        (["tables"], ["toy/table101", "toy/table102", "toy/table103"]),
        (["figures"], ["toy/figure1"]),
        (["table104"], ["toy/table104"]),
        (["mine/figures", "toy/table102", "mine/table101"], ["mine/table101", "mine/figure1", "toy/table102"]),
        (["mine"], ["mine/table101", "mine/table102", "mine/table103", "mine/figure1"]),
        (
            ["papers"],
            [f"{of}/{name}" for of in ("mine", "toy") for name in ("table101", "table102", "table103", "figure1")],
        ),
        ([], []),
    ],
)
def test_groups_are_of_the_default_paper_unless_it_is_named(loaded, monkeypatch, wanted, expected):
    loaded(PLUGINS[0], PLUGINS[2])
    monkeypatch.setenv("HARNESS_PAPER", "toy")
    assert names(*wanted) == expected


@pytest.mark.parametrize(
    ("plugins", "name", "says"),
    [
        (PLUGINS, "papers", "paper 'number' of number-paper 1 cannot be used: .* Paper; name the others: mine, toy$"),
        (PLUGINS, "fault", "^paper 'fault' of an unknown distribution cannot be used: it is broken$"),
        (PLUGINS, "fault/table1", "^paper 'fault' of an unknown distribution cannot be used: it is broken$"),
        (PLUGINS, "mien/table1", "^unknown paper 'mien': did you mean 'mine'. allowed: mine, toy$"),
        (PLUGINS[5:6], "toy/table1", "^unknown paper 'toy': allowed: none$"),
        ((), "toy/table1", f"^no paper is installed: in a clone of the harness, {INSTALL}$"),
        (PLUGINS, "table1", r"^unknown paper 'tyo': did you mean 'toy'. allowed: mine, toy \(set by the environment v"),
        (
            PLUGINS,
            "toy/table11",
            "^unknown table or figure 'table11' of paper 'toy': did you mean 'table101'. allowed: all, figure1, "
            "figures, table101, table102, table103, table104, tables; of other papers, PAPER/NAME; papers: mine, toy$",
        ),
        (
            (Plugin("a", PAPERS, "", replace(TOY, name="a", tables=())), PLUGINS[2]),
            "a/table102",
            "did you mean 'toy/table102'. allowed: all, figure1, figures, table104, tables; ",
        ),
    ],
)  # fmt: skip
def test_an_exhibit_that_cannot_be_found_is_refused(loaded, monkeypatch, plugins, name, says):
    loaded(*plugins)
    monkeypatch.setenv("HARNESS_PAPER", "tyo")
    with pytest.raises(SpecError, match=says):
        find_exhibits([name])


def test_a_paper_is_found_by_its_name(loaded):
    loaded(*PLUGINS)
    assert find_paper("toy") is TOY
