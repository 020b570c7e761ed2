"""`report --strict`: the exit code is that of tables, not of single cells."""

import pytest
from reports import fill

from harness.cli.main import main
from harness.registry.papers import find_exhibits
from harness.store.results import Results

ROW = "HybViT(dim=192)"


@pytest.mark.parametrize(
    ("seeds", "off", "verdict", "code"),
    [
        (3, 0.0, "PASS", 0),
        (3, 1.5, "INCONCLUSIVE", 0),
        (3, 2.7, "FAIL", 0),
        (3, 6.0, "FAIL", 1),
        (1, 1.5, "FAIL, one seed", 1),
    ],
)
def test_the_exit_code_is_1_where_a_table_fails(tmp_path, capsys, seeds, off, verdict, code):
    ((paper, table6),) = find_exhibits(["hybvit/table6"])

    def value(cell):
        """Return the paper's values with a standard deviation of 1; the accuracy of one row is off."""
        reported = table6.reported_value(cell.row, cell.metric)
        is_off = cell.row.label == ROW and cell.metric.key == "accuracy"
        return (reported or 10.0) + (cell.seed - 1 if seeds > 1 else 0) + (off if is_off else 0.0)

    fill(Results(tmp_path), paper, table6, paper.scale("paper"), seeds=seeds, value=value)
    command = ("report", "table6", "--scale", "paper", "--format", "csv", "--no-figures")
    assert main(["--results", str(tmp_path), *command]) == 0
    said = capsys.readouterr().out
    assert main(["--results", str(tmp_path), *command, "--strict"]) == code
    if verdict != "PASS":
        (line,) = [line for line in said.splitlines() if line.startswith(f"{ROW}  Acc")]
        assert line.rstrip().endswith(f" {verdict}")
