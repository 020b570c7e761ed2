"""From records to series: where the search for seeds ends."""

import pytest
from reports import fill
from toy_paper import HYBRID, PAPER

from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY
from harness.registry.row import Row
from harness.report.results.series import measurements
from harness.store.results import Results

SCALE = PAPER.scale("laptop")
ONCE, THRICE = Row("Once", HYBRID, (20.0,)), Row("Thrice", HYBRID.but(alpha=3), (20.0,))
pytestmark = pytest.mark.timeout(20)  # a search that continues past the last run never ends


def table(*rows):
    return Table(number=1, title="t", metrics=(ACCURACY,), rows=rows)


def test_rows_without_a_run_have_no_seeds_to_look_for(tmp_path):
    cited = table(Row("Cited", None, (90.0,), source="cited"))
    assert measurements(PAPER, cited, SCALE, Results(tmp_path)).series == {}


def test_seeds_are_looked_for_as_far_as_any_row_has_them(tmp_path):
    results = Results(tmp_path)
    fill(results, PAPER, table(ONCE), SCALE, seeds=1)
    fill(results, PAPER, table(THRICE), SCALE, seeds=3)
    series = measurements(PAPER, table(ONCE, THRICE), SCALE, results).series
    assert {row: of_cell.seeds for (row, _, _), of_cell in series.items()} == {"Once": (0,), "Thrice": (0, 1, 2)}
