"""What a row may print; anything else is an error that says what is allowed."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from toy_paper import HYBRID

from harness.errors import SpecError
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.row import Row, Setting, Value, Words

CELLS = r"allowed: a finite number, Value\(94.1, sd=0.2, n=5\), Words\('3 days'\), or None for a dash$"
IN_ORDER = "; its fields, in order: label, run, reported, section, under, source, note, protocol, setting$"
REFUSED = {
    "too few": (lambda: Row("a"), rf"^Row\('a', \.\.\.\) lacks run, reported{IN_ORDER}"),
    "nothing": (lambda: Row(), rf"^Row\(\.\.\.\) lacks label, run, reported{IN_ORDER}"),
    "too few by name": (lambda: Row(label="a", run=None), rf"^Row\('a', \.\.\.\) lacks reported{IN_ORDER}"),
    "too many": (lambda: Row("a", None, (), "", "", "own", "", {}, None, 1), f" has 10 values{IN_ORDER}"),
    "twice": (lambda: Row("a", None, (), run=None), rf"^Row\('a', \.\.\.\) has two values for run{IN_ORDER}"),
    "unknown": (lambda: Row("a", None, (), sauce="cited"), "^unknown field of Row 'sauce': did you mean 'source'"),
    "no tuple": (lambda: Row("a", None, 1.0), r"^row 'a': reported is 1.0: did you mean \(1.0,\)\? allowed: a tuple"),
    "list": (lambda: Row("a", None, [1.0, None]), r"is \[1.0, None\] \(list\): did you mean \(1.0, None\)\?"),
    "text": (lambda: Row("a", None, "97.1"), "reported is '97.1': allowed: a tuple with a value for each metric$"),
    "quotes": (lambda: Row("a", None, ("97.1",), "s"), r"^row 's: a': reported\[0\] is '97.1': did you mean 97.1"),
    "words": (lambda: Row("a", None, (1, "3 days")), rf"\[1\] is '3 days': did you mean Words\('3 days'\)\? {CELLS}"),
    "pair": (lambda: Row("a", None, ((97.1, 0.3),)), rf"\(tuple\): did you mean Value\(97.1, sd=0.3\)\? {CELLS}"),
    "triple": (lambda: Row("a", None, ((97.1, 0.3, 1),)), rf"^row 'a': reported\[0\] is .* \(tuple\): {CELLS}"),
    "pair of words": (lambda: Row("a", None, (("x", 0.3),)), rf"^row 'a': reported\[0\] is .* \(tuple\): {CELLS}"),
    "value alone": (lambda: Row("a", None, Value(1)), r"\(Value\): did you mean \(Value\(value=1.*\),\)\? allow"),
    "words alone": (lambda: Row("a", None, Words("x")), r"\(Words\): did you mean \(Words\(text='x'.*\),\)\? allow"),
    "NaN": (lambda: Row("a", None, (math.nan,)), rf"^row 'a': reported\[0\] is nan: {CELLS}"),
    "infinity": (lambda: Row("a", None, (-math.inf,)), rf"is -inf: {CELLS}"),
    "truth": (lambda: Row("a", None, (True,)), rf"is True: {CELLS}"),
    "beyond floats": (lambda: Row("a", None, (10**400,)), CELLS),
    "array": (lambda: Row("a", None, (np.zeros((4, 4)),)), rf"\(ndarray\): {CELLS}"),
    "configuration": (
        lambda: Row("a", HYBRID.config, (1.0,)),
        r"^row 'a': run is RunConfig.* \(RunConfig\): did you mean Run\(\"name\", config\)\? allowed: a Run, or None",
    ),
    "name of a run": (lambda: Row("a", "hybrid", (1.0,)), "^row 'a': run is 'hybrid': allowed: a Run, or None"),
    "source": (lambda: Row("a", None, (), source="cite"), "^unknown source of row 'a' 'cite': did you mean 'cited'"),
    "no source": (lambda: Row("a", None, (), source=None), "source is None: allowed: own, cited, uncertain$"),
    "label": (lambda: Row(1, None, ()), "^row 1: label is 1: allowed: text in quotes$"),
    "section": (lambda: Row("a", None, (), section=None), "^row 'a': section is None: allowed: text in quotes$"),
    "protocol": (lambda: Row("a", None, (), protocol=("after", 0.2)), "protocol is .* allowed: a dict of settings"),
    "setting": (lambda: Row("a", None, (), setting="dim"), "setting is 'dim': allowed: a Setting, or None"),
    "fields of a setting": (lambda: Setting("dim"), r"^Setting\('dim', ...\) lacks runs; "),
    "value in quotes": (lambda: Value("94.1"), "^Value: value is '94.1': did you mean 94.1"),
    "value NaN": (lambda: Value(math.nan), "^Value: value is nan: allowed: a finite number$"),
    "no value": (lambda: Value(), "lacks value; its fields, in order: value, sd, n, source$"),
    "sd below 0": (lambda: Value(94.1, -0.2), r"^Value\(94.1\): sd is -0.2: allowed: a finite number of 0 or more"),
    "sd NaN": (lambda: Value(94.1, sd=math.nan), "sd is nan: allowed: a finite number of 0 or more"),
    "sd truth": (lambda: Value(94.1, sd=True), "sd is True: allowed"),
    "sd in quotes": (lambda: Value(94.1, sd="0.2"), "sd is '0.2': did you mean 0.2"),
    "n 0": (lambda: Value(94.1, n=0), r"^Value\(94.1\): n is 0: allowed: a whole number of 1 or more, or None$"),
    "n no whole number": (lambda: Value(94.1, n=5.0), "n is 5.0: allowed"),
    "n truth": (lambda: Value(94.1, n=True), "n is True: allowed"),
    "source of a value": (lambda: Value(94.1, source="paper"), r"source of Value\(94.1\) 'paper': allowed: cited"),
    "std": (lambda: Value(94.1, std=0.2), "^unknown field of Value 'std': did you mean 'sd'"),
    "words without text": (lambda: Words(3), "^Words: text is 3: allowed: text in quotes$"),
    "meaning": (lambda: Words("3 days", "72"), r"^Words\('3 days'\): meaning is '72': allowed: a finite number"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "says"), REFUSED.values(), ids=REFUSED)
def test_what_a_row_cannot_print_is_refused_in_a_line(row, says):
    with pytest.raises(SpecError, match=says) as refused:
        row()
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_rows_are_still_copied_and_pickled():
    row = Row("a", HYBRID, (1, Value(2, sd=0, n=1), Words("many"), None), note="n")
    assert pickle.loads(pickle.dumps(row)) == row
    assert replace(row, label="b", note="").key == "b"


def test_an_exhibit_knows_what_is_printed_beside_a_number():
    rows = (
        Row("own", None, (Value(94.1, sd=0.2, n=5), 3.0)),
        Row("theirs", None, (Value(93, source="own"), Words("about 3", 3.0)), source="cited"),
        Row("mixed", None, (Value(92.0, n=3, source="uncertain"), None)),
    )
    table = Table(number=1, title="t", metrics=(ACCURACY, FID), rows=rows)
    told = [
        (
            table.reported(row, metric), table.reported_value(row, metric), table.reported_sd(row, metric),
            table.reported_n(row, metric), table.source(row, metric),
        )
        for row in rows for metric in table.metrics
    ]  # fmt: skip
    assert told == [
        (94.1, 94.1, 0.2, 5, "own"), (3.0, 3.0, None, None, "own"),
        (93, 93, None, None, "own"), (Words("about 3", 3.0), 3.0, None, None, "cited"),
        (92.0, 92.0, None, 3, "uncertain"), (None, None, None, None, "own"),
    ]  # fmt: skip
    assert [table.asks(rows[2], metric) for metric in table.metrics] == [True, False]


@pytest.mark.parametrize(
    ("value", "sd", "text"),
    [
        (94.1, 0.2, "94.1 ± 0.2"), (94, 2, "94.0 ± 2.0"), (94.15, 0.2, "94.15 ± 0.2"), (94.1, 0.25, "94.1 ± 0.25"),
        (94.1, 0.04, "94.1 ± 0.04"), (94.1, 0, "94.1 ± 0.0"), (94.1, 12.125, "94.1 ± 12.125"), (94.1, None, "94.1"),
    ],
)  # fmt: skip
def test_a_deviation_has_the_decimals_of_the_metric_or_more(value, sd, text):
    assert ACCURACY.reported(value, sd) == text
