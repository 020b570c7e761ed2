"""A table as LaTeX: booktabs, columns of numbers aligned by siunitx, notes below, parts where a page is too short."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.report import text
from harness.report.build import ExhibitReport
from harness.report.latex.escape import tex
from harness.report.latex.layout import DASH, GAP, Block, Column, Entry, Layout, Section, layouts
from harness.report.latex.notes import Notes, general, raised
from harness.report.latex.numbers import as_text, in_cell, table_format

PACKAGES = ("booktabs", "multirow", "siunitx", "adjustbox", "amssymb")
LINES, PAGE = 46, 58
"""A table of more lines goes on in a further float; so do the notes when they and the lines before are more."""
LINE_OF_NOTES = 140
"""About as many characters of a note fit into a line."""
LONG_NAME = 34
"""Longer names are broken into lines."""
NEW_LINE = "\\\\"
NAMES_WIDTH = "0.26\\linewidth"
DIMENSIONS = "\\footnotesize\\setlength{\\tabcolsep}{4pt}\\sisetup{detect-weight=true}%"


def table(report: ExhibitReport) -> str:
    """Return a `table` environment, or several for a long table; cells that are not measured yet are dots."""
    notes = Notes()
    parts = [part for layout in layouts(report, notes) for part in _parts(layout)]
    entries = [entry for part in parts for section in part.sections for entry in _entries(section)]
    remarks = [" ".join(general(report, any(entry.bold for entry in entries), _has_spread(entries)))]
    remarks += [" \\quad ".join(notes.lines())] if notes.lines() else []
    floats: list[list[Layout] | None] = list(_floats(parts))
    if sum(map(_height, floats[-1] or [])) + sum(1 + len(remark) // LINE_OF_NOTES for remark in remarks) > PAGE:
        floats.append(None)
    lines = [f"% {report.name}, scale {report.scale.name}; needs \\usepackage{{{','.join(PACKAGES)}}}"]
    for position, members in enumerate(floats):
        lines += ["\\begin{table}[!htbp]", "\\centering"]
        lines += ["Table~\\thetable{} (continued)\\par\\medskip"] if position else _caption(report)
        lines += [DIMENSIONS, *(line for part in members or [] for line in _tabular(part))]
        lines += _remarks(remarks) if position == len(floats) - 1 else []
        lines.append("\\end{table}")
    return "\n".join([*lines, ""])


def _caption(report: ExhibitReport) -> list[str]:
    return [
        f"\\caption{{{tex(text.caption(report))}. {tex(report.scale.note)}}}",
        f"\\label{{tab:{report.paper.name}-{report.exhibit.name}}}",
    ]


def _remarks(remarks: Sequence[str]) -> list[str]:
    joined = [f"{remark}\\par" for remark in remarks]
    return ["\\par\\smallskip\\begin{minipage}{\\linewidth}\\raggedright\\scriptsize", *joined, "\\end{minipage}"]


def _parts(layout: Layout) -> Iterator[Layout]:
    """Yield a layout in parts that fit a page, split between rows."""
    sections: list[Section] = []
    height = 0
    for section in layout.sections:
        blocks: list[Block] = []
        heading = section.heading
        height += 2 if heading else 0
        for block in section.blocks:
            if height + _lines(block) > LINES and (blocks or sections):
                yield Layout(layout.caption, layout.columns, (*sections, *([Section(heading, tuple(blocks))] if blocks else [])))
                heading = f"{section.heading} (continued)" if blocks and section.heading else section.heading
                sections, blocks, height = [], [], 2 if section.heading else 0
            blocks.append(block)
            height += _lines(block)
        sections.append(Section(heading, tuple(blocks)))
    yield Layout(layout.caption, layout.columns, tuple(sections))


def _floats(parts: Sequence[Layout]) -> Iterator[list[Layout]]:
    """Yield the parts that fit a page together."""
    members: list[Layout] = []
    for part in parts:
        if members and sum(map(_height, members)) + _height(part) > LINES:
            yield members
            members = []
        members.append(part)
    yield members


def _height(layout: Layout) -> int:
    rows = sum(_lines(block) for section in layout.sections for block in section.blocks)
    return rows + sum(2 for section in layout.sections if section.heading) + 4


def _lines(block: Block) -> int:
    return max(len(block.lines), *(1 + len(entry.text) // LONG_NAME for entry in block.lines[0]), 1) if block.lines else 0


def _entries(section: Section) -> Iterator[Entry]:
    for block in section.blocks:
        for line in block.lines:
            yield from line


def _has_spread(entries: Sequence[Entry]) -> bool:
    return any(entry.spread or entry.text == "±" for entry in entries)


class _Typeset:
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


def _tabular(layout: Layout) -> list[str]:
    lines = [line for section in layout.sections for block in section.blocks for line in block.lines]
    columns = [_Typeset(column, [line[i] for line in lines]) for i, column in enumerate(layout.columns)]
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


def _groups(columns: Sequence[_Typeset]) -> list[str]:
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


def _section(section: Section, columns: Sequence[_Typeset], width: int) -> Iterator[str]:
    yield "\\midrule"
    if section.heading:
        set_in = f"p{{0.9\\linewidth}}" if len(section.heading) > 2 * LONG_NAME else "l"
        yield f"\\multicolumn{{{width}}}{{@{{}}{set_in}@{{}}}}{{\\emph{{{tex(section.heading)}}}}} \\\\"
    for position, block in enumerate(section.blocks):
        if position and len(block.lines) > 1:
            yield "\\addlinespace"
        yield from _block(block, columns)


def _block(block: Block, columns: Sequence[_Typeset]) -> Iterator[str]:
    """Yield the lines of a row; its name spans them."""
    for position, line in enumerate(block.lines):
        cells = [column.cells(entry) for column, entry in zip(columns, line, strict=True)]
        if len(block.lines) > 1 and position == 0 and not columns[0].broken:
            cells[0] = f"\\multirow[t]{{{len(block.lines)}}}{{*}}{{{cells[0]}}}"
        yield f"{' & '.join(cells)} \\\\"
