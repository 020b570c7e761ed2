"""The LaTeX writer: booktabs tables for other documents to input, with their notes and claims."""

from collections.abc import Iterable
from itertools import groupby

from pylatexenc.latexencode import unicode_to_latex

from harness.report import text
from harness.report.build import ExhibitReport
from harness.report.grid import DASH, Column, Grid, Line, grids

PREAMBLE = (
    "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage[margin=2cm]{geometry}\n"
    "\\usepackage{booktabs,textcomp,amssymb,graphicx}\n"
)
WIDEST = 10
"""A grid of more columns than this is scaled to the width of the line."""


def latex(report: ExhibitReport) -> str:
    """Return a `table` environment that compiles with booktabs and graphicx; cells that are not measured are dots."""
    return "\n".join(
        [
            f"% {report.name}, scale {report.scale.name}; needs \\usepackage{{booktabs,graphicx}}",
            "\\begin{table}[!htbp]",
            "\\centering",
            f"\\caption{{{_tex(text.caption(report))}. {_tex(report.scale.note)}}}",
            f"\\label{{tab:{report.paper.name}-{report.exhibit.name}}}",
            "\\footnotesize\\setlength{\\tabcolsep}{4pt}",
            *(line for grid in grids(report) for line in _tabular(grid)),
            "\\par\\medskip\\raggedright",
            *(f"{_tex(note)}\\par" for note in text.notes(report)),
            "\\end{table}",
            *_claims(report),
            "",
        ]
    )


def figure(report: ExhibitReport, picture: str) -> str:
    """Return a `figure` environment around a picture that lies beside the file, with its notes and claims."""
    caption = f"{text.caption(report)}. {report.scale.note} {' '.join(text.notes(report))}"
    return "\n".join(
        [
            f"% {report.name}, scale {report.scale.name}; needs \\usepackage{{graphicx}}",
            "\\begin{figure}[!htbp]",
            "\\centering",
            f"\\includegraphics[width=\\linewidth,height=0.8\\textheight,keepaspectratio]{{{picture}}}",
            f"\\caption{{{_tex(caption)}}}",
            f"\\label{{fig:{report.paper.name}-{report.exhibit.name}}}",
            "\\end{figure}",
            *_claims(report),
            "",
        ]
    )


def document(*exhibits: str) -> str:
    """Return a whole document that shows some exhibits."""
    body = "\n\\clearpage\n".join(exhibits)
    return f"{PREAMBLE}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def _tabular(grid: Grid) -> list[str]:
    wide = len(grid.columns) > WIDEST
    letters = "".join(column.align[0] for column in grid.columns)
    return [
        *([f"\\par\\medskip\\emph{{{_tex(grid.caption)}}}\\par\\smallskip"] if grid.caption else []),
        *(["\\resizebox{\\linewidth}{!}{%"] if wide else []),
        f"\\begin{{tabular}}{{{letters}}}",
        "\\toprule",
        *_groups(grid.columns),
        f"{' & '.join(_tex(column.name) for column in grid.columns)} \\\\",
        "\\midrule",
        *(_line(line, len(grid.columns)) for line in grid.lines),
        "\\bottomrule",
        "\\end{tabular}" + ("}" if wide else ""),
    ]


def _groups(columns: Iterable[Column]) -> list[str]:
    """Return the line of headings over groups of columns, with a rule under each."""
    heads, rules, start = [], [], 1
    for group, members in groupby(columns, key=lambda column: column.group):
        width = len(list(members))
        if group:
            heads.append(f"\\multicolumn{{{width}}}{{c}}{{{_tex(group)}}}")
            rules.append(f"\\cmidrule(lr){{{start}-{start + width - 1}}}")
        else:
            heads += [""] * width
        start += width
    return [" & ".join(heads) + " \\\\", " ".join(rules)] if rules else []


def _claims(report: ExhibitReport) -> list[str]:
    """Return the claims as a list outside of the float, so that a long one can break over pages."""
    if not report.decisions:
        return []
    items = [
        f"\\item[{decision.status.value}] {_tex(decision.claim.where)} {_tex(decision.claim.says)} "
        f"{_tex(text.claim_evidence(decision, report))}."
        for decision in report.decisions
    ]
    return ["{\\footnotesize", "\\begin{description}", *items, "\\end{description}", "}"]


def _line(line: Line, columns: int) -> str:
    """Return a row, or for a section its name over all columns, set off by a rule."""
    if line.is_section:
        return f"\\midrule \\multicolumn{{{columns}}}{{l}}{{\\emph{{{_tex(line.texts[0])}}}}} \\\\"
    return " & ".join("--" if cell == DASH else _tex(cell) for cell in line.texts) + " \\\\"


def _tex(value: str) -> str:
    escaped: str = unicode_to_latex(value, unknown_char_policy="replace", unknown_char_warning=False)
    return escaped
