"""`--rows`: repeated patterns add up, and a row in the place of a table is explained."""

import json
import shlex

import pytest
from reports import fill

from harness.cli.main import main
from harness.registry.papers import find_exhibits
from harness.store.results import Results

TWO = ("--rows", "HybViT(dim=192)", "--rows", "HybViT(depth=6)")


@pytest.fixture
def call(tmp_path, capsys):
    def run(*words):
        code = main(["--results", str(tmp_path), *words])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (TWO, ["hybvit depth=6", "hybvit dim=192"]),
        ((*TWO, *TWO, "--rows", "hybvit(DIM=192)"), ["hybvit depth=6", "hybvit dim=192"]),
        ((*TWO, "--rows", "GenViT(dim=?8?)"), ["hybvit depth=6", "hybvit dim=192", "genvit"]),
    ],
)
def test_patterns_add_up_in_the_papers_order(call, rows, expected):
    _, out, _ = call("plan", "table6", "--json", *rows)
    names = [run["name"] for run in json.loads(out)["runs"]]
    assert [name.removesuffix(" dim=384") for name in names] == expected


def test_run_takes_all_of_them(call):
    code, out, _ = call("run", "table6", "--dry-run", *TWO)
    assert (code, "2 distinct runs" in out) == (0, True)


def test_every_pattern_must_match(call):
    code, _, err = call("plan", "table6", "table4", *TWO, "--rows", "HybViT(dim=19)")
    assert code == 2
    assert err.startswith("harness: unknown row of table4, table6 'HybViT(dim=19)': did you mean ")


def test_a_pattern_for_one_of_several_tables_leaves_the_others_out(call):
    _, out, _ = call("report", "table6", "table4", "--json", "--rows", "iDDPM")
    assert [(table["table"], len(table["rows"])) for table in json.loads(out)["tables"]] == [("table4", 1)]


@pytest.mark.parametrize("command", ["plan", "report"])
@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("--rows", "HybViT(depth=6)", "HybViT(dim=192)"), "--rows 'HybViT(depth=6)' --rows 'HybViT(dim=192)'"),
        (("HybViT(depth=6)", "HybViT(dim=192)"), "--rows 'HybViT(depth=6)' --rows 'HybViT(dim=192)'"),
        (("table4", "iDDPM"), "table4 --rows iDDPM"),
    ],
)
def test_a_row_in_the_place_of_a_table_gets_advice_that_works(call, command, words, advice):
    code, _, err = call(command, "table6", *words)
    assert code == 2
    assert "which is a row: did you mean table6 " in err
    meant = err.partition("did you mean ")[2].strip()
    assert meant == f"table6 {advice}"
    assert call(command, *shlex.split(meant), "--json")[0] == 0


def test_a_name_that_is_no_row_either_is_an_unknown_table(call):
    code, _, err = call("plan", "table6", "HybViT(dim=192)", "tabel4")
    assert code == 2
    assert "unknown table or figure 'HybViT(dim=192)' of paper" in err


@pytest.fixture
def table6(tmp_path):
    ((paper, exhibit),) = find_exhibits(["table6"])
    values = {row.key: 20.0 + place for place, row in enumerate(exhibit.rows)}
    fill(Results(tmp_path), paper, exhibit, paper.scale("laptop"), seeds=2, value=lambda cell: values[cell.row.key])


def test_a_report_of_some_rows_names_what_it_leaves_out(call, table6):
    _, out, _ = call(
        "report", "table6", "--no-figures", "--format", "markdown", "--rows", "*(depth=*)", "--rows", "GenViT*"
    )
    assert "5 of 13 rows are shown" in out
    assert "9 claims need other rows and are left out" in " ".join(out.split())
    assert "Rank agreement of the rows shown" in out
    assert "§5.3 More depth improves accuracy." in out


def test_the_list_of_claims_says_when_claims_are_left_out(call, table6, tmp_path):
    _, out, _ = call("report", "table6", "--no-figures", "--claims", "--rows", "GenViT*")
    sentence = "are of the rows shown; 11 claims need other rows and are left out"
    assert sentence in " ".join(out.split())
    (path,) = tmp_path.rglob("claims.md")
    assert sentence in path.read_text()


def test_json_lists_what_a_report_leaves_out(call, table6):
    _, out, _ = call("report", "table6", "--json", "--rows", "*(depth=*)")
    (table,) = json.loads(out)["tables"]
    assert [row["key"] for row in table["rows"]] == ["HybViT(depth=6)", "HybViT(depth=12)"]
    assert len(table["left_out"]["rows"]) == 11
    assert "More depth improves accuracy." not in table["left_out"]["claims"]
    assert len(table["left_out"]["claims"]) + len(table["claims"]) == 12


def test_a_report_of_all_rows_leaves_nothing_out(call, table6):
    _, out, _ = call("report", "table6", "--json", "--rows", "*")
    assert json.loads(out)["tables"][0]["left_out"] == {"rows": [], "claims": []}
