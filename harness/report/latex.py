"""The LaTeX writer: a booktabs table for other documents to input, with its notes and claims."""

from pylatexenc.latexencode import unicode_to_latex

from harness.report import text
from harness.report.build import TableReport

PREAMBLE = "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{booktabs,textcomp,amssymb}\n"


def latex(report: TableReport) -> str:
    """Return a `table` environment that compiles with booktabs; cells that are not measured are dots."""
    metrics = report.table.metrics
    group = " & ".join(f"\\multicolumn{{2}}{{c}}{{{_tex(_heading(report, i))}}}" for i in range(len(metrics)))
    rules = " ".join(f"\\cmidrule(lr){{{2 + 2 * i}-{3 + 2 * i}}}" for i in range(len(metrics)))
    columns = ["Model", *["paper", "ours"] * len(metrics), *text.headings(report)[1 + 2 * len(metrics) :]]
    lines = [_line(parts, len(columns)) for parts in text.lines(report)]
    return "\n".join(
        [
            f"% {report.name}, scale {report.scale.name}; needs \\usepackage{{booktabs}}",
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{_tex(text.title(report))}. {_tex(report.scale.note)}}}",
            f"\\label{{tab:{report.paper.name}-{report.table.name}}}",
            "\\footnotesize\\setlength{\\tabcolsep}{4pt}",
            f"\\begin{{tabular}}{{l{'rr' * len(metrics)}r{'l' * report.scale.comparable}}}",
            "\\toprule",
            f" & {group} &{' &' * report.scale.comparable} \\\\",
            rules,
            f"{' & '.join(columns)} \\\\",
            "\\midrule",
            *lines,
            "\\bottomrule",
            "\\end{tabular}",
            "\\par\\medskip\\raggedright",
            *(f"{_tex(note)}\\par" for note in text.notes(report)),
            *_claims(report),
            "\\end{table}",
            "",
        ]
    )


def document(*tables: str) -> str:
    """Return a whole document that shows some tables."""
    body = "\n\\clearpage\n".join(tables)
    return f"{PREAMBLE}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def _heading(report: TableReport, index: int) -> str:
    metric = report.table.metrics[index]
    measured = report.labels.get(metric.key, metric.label)
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{metric.label}{unit}" if measured == metric.label else f"{metric.label} / {measured}{unit}"


def _claims(report: TableReport) -> list[str]:
    if not report.decisions:
        return []
    items = [
        f"\\item[{decision.status.value}] {_tex(decision.claim.where)} {_tex(decision.claim.says)} "
        f"{_tex(text.claim_evidence(decision, report.labels))}."
        for decision in report.decisions
    ]
    return ["\\begin{description}", *items, "\\end{description}"]


def _line(parts: list[str], columns: int) -> str:
    """Return a row, or for a section its name over all columns, set off by a rule."""
    if not any(parts[1:]):
        return f"\\midrule \\multicolumn{{{columns}}}{{l}}{{\\emph{{{_tex(parts[0])}}}}} \\\\"
    return " & ".join(_cell(part) for part in parts) + " \\\\"


def _cell(value: str) -> str:
    return "--" if value == text.DASH else _tex(value)


def _tex(value: str) -> str:
    escaped: str = unicode_to_latex(value, unknown_char_policy="replace", unknown_char_warning=False)
    return escaped
