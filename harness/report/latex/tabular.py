"""Columns and lines of a table as LaTeX: numbers aligned by siunitx, names spanning the lines of a row."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.report.latex.cells import DASHES
from harness.report.latex.escape import tex
from harness.report.latex.notes import raised
from harness.report.latex.numbers import as_text, in_cell, table_format
from harness.report.writers.table_cells import TableCell
from harness.report.writers.table_layout import TableColumn, TableGrid, TableRow, TableSection

LONG_NAME = 34
"""Longer names are broken into lines."""
NO_WORDS = ("", *DASHES.values())
NEW_LINE = "\\\\"
NAMES_WIDTH = "0.26\\linewidth"


class _TypesetColumn:
    """A column and its typesetting: aligned numbers, with a tail for spreads and marks if there are any, or text."""

    def __init__(self, column: TableColumn, cells: Sequence[TableCell]) -> None:
        self.column = column
        numbers = [number for cell in cells if (number := in_cell(cell.text))]
        words = [cell.text for cell in cells if cell.text not in NO_WORDS and not in_cell(cell.text)]
        self.words = bool(words)
        self.numbers = not column.holds_words and len(numbers) >= len(words) and bool(numbers)
        self.format = table_format(numbers) if self.numbers else ""
        self.tail = self.numbers and any(cell.sd or cell.remarks for cell in cells)
        self.broken = any(len(cell.text) > LONG_NAME for cell in cells)

    @property
    def specification(self) -> str:
        """The column specification for `tabular`."""
        if self.numbers:
            return f"S[table-format={self.format}]" + ("@{}l" if self.tail else "")
        if self.broken:
            return f">{{\\raggedright\\arraybackslash}}p{{{NAMES_WIDTH}}}"
        return "l" if self.column.holds_words or self.words else "c"

    @property
    def width(self) -> int:
        """The number of columns for LaTeX."""
        return 2 if self.tail else 1

    def head(self) -> str:
        """Return the heading, stacked if it has several lines."""
        lines = [tex(line) for line in _heading(self.column) if line]
        stacked = "".join(lines)
        if len(lines) > 1:
            stacked = f"\\begin{{tabular}}[b]{{@{{}}c@{{}}}}{NEW_LINE.join(lines)}\\end{{tabular}}"
        if self.tail:
            return f"\\multicolumn{{2}}{{c}}{{{stacked}}}"
        return f"{{{stacked}}}" if stacked else ""

    def typeset(self, cell: TableCell) -> str:
        """Return a cell as the text between ampersands."""
        marks = raised(",".join(cell.remarks))
        weight = "\\bfseries " if cell.best else ""
        number = in_cell(cell.text)
        if not self.numbers:
            return f"{weight}{as_text(cell.text)}{_spread(cell)}{marks}"
        shown = f"{weight}{number}" if number else f"{{{as_text(cell.text)}}}" if cell.text else ""
        return f"{shown} & {_spread(cell)}{marks}" if self.tail else shown


def _spread(cell: TableCell) -> str:
    return f"\\,\\ensuremath{{\\pm}}\\,{in_cell(cell.sd) or as_text(cell.sd)}" if cell.sd else ""


def tabular(grid: TableGrid) -> list[str]:
    """Return the lines of a `tabular` that is scaled down if it is wider than the text."""
    columns = [_TypesetColumn(column, [line[i] for line in grid.lines]) for i, column in enumerate(grid.columns)]
    width = sum(column.width for column in columns)
    return [
        *([f"\\par\\medskip\\emph{{{tex(grid.caption)}}}\\par\\smallskip"] if grid.caption else []),
        "\\begin{adjustbox}{max width=\\linewidth}",
        f"\\begin{{tabular}}{{@{{}}{''.join(column.specification for column in columns)}@{{}}}}",
        "\\toprule",
        *_groups(columns),
        f"{' & '.join(column.head() for column in columns)} \\\\",
        *(line for section in grid.sections for line in _section(section, columns, width)),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{adjustbox}",
    ]


def _heading(column: TableColumn) -> list[str]:
    """Return the lines of a column's heading; under a group heading, only what distinguishes the column."""
    if column.group and column.metric:
        return [column.role, *([column.name] if column.name != column.metric.label else [])]
    return _with_unit(column.name, column).split(" ")


def _group(column: TableColumn) -> str:
    return _with_unit(column.metric.label, column) if column.group and column.metric else ""


def _with_unit(name: str, column: TableColumn) -> str:
    return f"{name} ({column.metric.unit})" if column.metric and column.metric.unit else name


def _groups(columns: Sequence[_TypesetColumn]) -> list[str]:
    """Return the line of headings over groups of columns, with a rule under each."""
    heads, rules, start = [], [], 1
    for group, members in groupby(columns, key=lambda column: _group(column.column)):
        width = sum(column.width for column in members)
        if group:
            heads.append(f"\\multicolumn{{{width}}}{{c}}{{{tex(group)}}}")
            rules.append(f"\\cmidrule(lr){{{start}-{start + width - 1}}}")
        else:
            heads += [""] * width
        start += width
    return [" & ".join(heads) + " \\\\", " ".join(rules)] if rules else []


def _section(section: TableSection, columns: Sequence[_TypesetColumn], width: int) -> Iterator[str]:
    yield "\\midrule"
    if section.heading:
        set_in = "p{0.9\\linewidth}" if len(section.heading) > 2 * LONG_NAME else "l"
        yield f"\\multicolumn{{{width}}}{{@{{}}{set_in}@{{}}}}{{\\emph{{{tex(section.heading)}}}}} \\\\"
    for position, row in enumerate(section.rows):
        if position and len(row.lines) > 1:
            yield "\\addlinespace"
        yield from _row(row, columns)


def _row(row: TableRow, columns: Sequence[_TypesetColumn]) -> Iterator[str]:
    """Yield the lines of a row; its name spans them."""
    for position, line in enumerate(row.lines):
        cells = [column.typeset(cell) for column, cell in zip(columns, line, strict=True)]
        if len(row.lines) > 1 and position == 0 and not columns[0].broken:
            cells[0] = f"\\multirow[t]{{{len(row.lines)}}}{{*}}{{{cells[0]}}}"
        yield f"{' & '.join(cells)} \\\\"
