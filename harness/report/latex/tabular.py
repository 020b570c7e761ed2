"""Columns and lines of a table as LaTeX: numbers aligned by siunitx, names spanning the lines of a row."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.report.latex.escape import tex
from harness.report.latex.layout import DASH, GAP, LONG_NAME, Block, Column, Entry, Layout, Section
from harness.report.latex.notes import raised
from harness.report.latex.numbers import as_text, in_cell, table_format

NEW_LINE = "\\\\"
NAMES_WIDTH = "0.26\\linewidth"


class _TypesetColumn:
    """A column with how it is set: aligned numbers with a tail for what follows them, or names."""

    def __init__(self, column: Column, entries: Sequence[Entry]) -> None:
        self.column = column
        numbers = [number for entry in entries if (number := in_cell(entry.text))]
        words = [entry.text for entry in entries if entry.text not in ("", DASH, GAP) and not in_cell(entry.text)]
        self.words = bool(words)
        self.numbers = not column.names and len(numbers) >= len(words) and bool(numbers)
        self.format = table_format(numbers) if self.numbers else ""
        self.tail = self.numbers and any(entry.spread or entry.marks for entry in entries)
        self.broken = any(len(entry.text) > LONG_NAME for entry in entries)

    @property
    def letters(self) -> str:
        """The column in the argument of `tabular`."""
        if self.numbers:
            return f"S[table-format={self.format}]" + ("@{}l" if self.tail else "")
        if self.broken:
            return f">{{\\raggedright\\arraybackslash}}p{{{NAMES_WIDTH}}}"
        return "l" if self.column.names or self.words else "c"

    @property
    def width(self) -> int:
        """The number of columns for LaTeX."""
        return 2 if self.tail else 1

    def head(self) -> str:
        """Return the heading, in lines."""
        lines = [tex(line) for line in self.column.heading if line]
        stacked = "".join(lines)
        if len(lines) > 1:
            stacked = f"\\begin{{tabular}}[b]{{@{{}}c@{{}}}}{NEW_LINE.join(lines)}\\end{{tabular}}"
        if self.tail:
            return f"\\multicolumn{{2}}{{c}}{{{stacked}}}"
        return f"{{{stacked}}}" if stacked else ""

    def cells(self, entry: Entry) -> str:
        """Return an entry as the text between ampersands."""
        marks = raised("".join(entry.marks) if len(entry.marks) < 2 else ",".join(entry.marks))
        weight = "\\bfseries " if entry.bold else ""
        number = in_cell(entry.text)
        if not self.numbers:
            return f"{weight}{as_text(entry.text)}{_spread(entry)}{marks}"
        shown = f"{weight}{number}" if number else f"{{{as_text(entry.text)}}}" if entry.text else ""
        return f"{shown} & {_spread(entry)}{marks}" if self.tail else shown


def _spread(entry: Entry) -> str:
    return f"\\,\\ensuremath{{\\pm}}\\,{in_cell(entry.spread) or as_text(entry.spread)}" if entry.spread else ""


def tabular(layout: Layout) -> list[str]:
    """Return the lines of a `tabular` that is scaled down where it is wider than the text."""
    lines = [line for section in layout.sections for block in section.blocks for line in block.lines]
    columns = [_TypesetColumn(column, [line[i] for line in lines]) for i, column in enumerate(layout.columns)]
    width = sum(column.width for column in columns)
    return [
        *([f"\\par\\medskip\\emph{{{tex(layout.caption)}}}\\par\\smallskip"] if layout.caption else []),
        "\\begin{adjustbox}{max width=\\linewidth}",
        f"\\begin{{tabular}}{{@{{}}{''.join(column.letters for column in columns)}@{{}}}}",
        "\\toprule",
        *_groups(columns),
        f"{' & '.join(column.head() for column in columns)} \\\\",
        *(line for section in layout.sections for line in _section(section, columns, width)),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{adjustbox}",
    ]


def _groups(columns: Sequence[_TypesetColumn]) -> list[str]:
    """Return the line of headings over groups of columns, with a rule under each."""
    heads, rules, start = [], [], 1
    for group, members in groupby(columns, key=lambda column: column.column.group):
        width = sum(column.width for column in members)
        if group:
            heads.append(f"\\multicolumn{{{width}}}{{c}}{{{tex(group)}}}")
            rules.append(f"\\cmidrule(lr){{{start}-{start + width - 1}}}")
        else:
            heads += [""] * width
        start += width
    return [" & ".join(heads) + " \\\\", " ".join(rules)] if rules else []


def _section(section: Section, columns: Sequence[_TypesetColumn], width: int) -> Iterator[str]:
    yield "\\midrule"
    if section.heading:
        set_in = "p{0.9\\linewidth}" if len(section.heading) > 2 * LONG_NAME else "l"
        yield f"\\multicolumn{{{width}}}{{@{{}}{set_in}@{{}}}}{{\\emph{{{tex(section.heading)}}}}} \\\\"
    for position, block in enumerate(section.blocks):
        if position and len(block.lines) > 1:
            yield "\\addlinespace"
        yield from _block(block, columns)


def _block(block: Block, columns: Sequence[_TypesetColumn]) -> Iterator[str]:
    """Yield the lines of a row; its name spans them."""
    for position, line in enumerate(block.lines):
        cells = [column.cells(entry) for column, entry in zip(columns, line, strict=True)]
        if len(block.lines) > 1 and position == 0 and not columns[0].broken:
            cells[0] = f"\\multirow[t]{{{len(block.lines)}}}{{*}}{{{cells[0]}}}"
        yield f"{' & '.join(cells)} \\\\"
