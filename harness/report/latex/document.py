"""The whole report as a LaTeX document: counts, the claims of the paper, then its tables and figures."""

from collections.abc import Mapping, Sequence

from harness.report import ledger, text
from harness.report.build import ExhibitReport
from harness.report.claims import Decision
from harness.report.latex import figure, table
from harness.report.latex.escape import tex
from harness.spec.paper import Paper

PACKAGES = tuple(dict.fromkeys((*table.PACKAGES, *figure.PACKAGES, "longtable", "microtype", "geometry", "hyperref")))
PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage[margin=2cm]{geometry}
\usepackage{%s}
\usepackage[hidelinks]{hyperref}
\ifdefined\pdfgentounicode\input{glyphtounicode}\pdfgentounicode=1\fi
\ifdefined\pdftrailerid\pdftrailerid{}\pdfinfoomitdate=1\pdfsuppressptexinfo=-1\fi
\setlength{\parindent}{0pt}
\setlength{\emergencystretch}{3em}
\begin{document}
""" % ",".join(package for package in PACKAGES if package not in ("geometry", "hyperref"))


def document(paper: Paper, reports: Sequence[ExhibitReport], pictures: Mapping[str, Sequence[str]]) -> str:
    """Return the document on some exhibits of a paper.

    It inputs their files, which lie beside it; `pictures` are further ones that lie there, by the exhibit's name.
    """
    scale = reports[0].scale
    tables = [report for report in reports if report.exhibit.kind == "table"]
    figures = [report for report in reports if report.exhibit.kind == "figure"]
    lines = [
        f"{{\\LARGE\\raggedright {tex(paper.title)}\\par}}\\medskip",
        f"{tex(paper.url)}\\par\\medskip",
        f"What the paper reports beside what was measured, at scale {tex(scale.name)}. {tex(scale.note)}",
        *_summary(reports),
        *_claims(reports),
        *(["\\clearpage\\section{Tables}"] if tables else []),
        *(f"\\input{{{report.exhibit.name}}}" for report in tables),
        *(["\\clearpage\\section{Figures}"] if figures or pictures else []),
        *(f"\\input{{{report.exhibit.name}}}" for report in figures if report.exhibit.name in pictures),
        *(
            figure.environment(report, picture, f"Of {text.caption(report)}. {tex(report.scale.note)}")
            for report in tables
            for picture in pictures.get(report.exhibit.name, ())
        ),
    ]
    return PREAMBLE + "\n".join(lines) + "\n\\end{document}\n"


def _summary(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return a line for each exhibit: how much is measured, how its cells and its claims stand."""
    lines = []
    for report in reports:
        statuses = [decision.status for decision in report.decisions]
        counts = [str(statuses.count(status) or "") for status in ledger.ORDER]
        exhibit = report.exhibit
        number = f"{exhibit.kind.capitalize()} {exhibit.number}{f' ({exhibit.variant})' if exhibit.variant else ''}"
        texts = (number, exhibit.title, f"{report.measured} of {report.wanted}", *counts)
        lines.append(f"{' & '.join(map(tex, texts))} \\\\")
    headings = " & ".join(("Exhibit", "", "cells measured", *(f"\\multicolumn{{1}}{{r}}{{{s}}}" for s in ledger.ORDER)))
    return [
        "\\section{Summary}",
        f"{tex(ledger.summary(reports))}\\par",
        "{\\footnotesize\\setlength{\\tabcolsep}{4pt}",
        "\\begin{longtable}{@{}l>{\\raggedright\\arraybackslash}p{0.5\\linewidth}rrrr@{}}",
        "\\toprule",
        "&& & \\multicolumn{3}{c}{claims} \\\\ \\cmidrule(l){4-6}",
        f"{headings} \\\\",
        "\\midrule\\endhead\\bottomrule\\endlastfoot",
        *lines,
        "\\end{longtable}}",
    ]


def _claims(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return the ledger of claims, failing ones first, with what decides each."""
    lines = ["\\section{Claims of the paper}"]
    for status in ledger.ORDER:
        chosen = [(r, decision) for r in reports for decision in r.decisions if decision.status is status]
        if chosen:
            lines += [f"\\subsection*{{{status.capitalize()} ({len(chosen)})}}", "\\begin{itemize}"]
            lines += [_claim(report, decision) for report, decision in chosen]
            lines.append("\\end{itemize}")
    return lines if len(lines) > 1 else []


def _claim(report: ExhibitReport, decision: Decision) -> str:
    exhibit, claim = report.exhibit, decision.claim
    where = f"{exhibit.kind.capitalize()} {exhibit.number}, {claim.where}".rstrip(", ")
    evidence = text.claim_evidence(decision, report)
    return f"\\item {tex(claim.says)} {{\\footnotesize({tex(where)})\\\\{tex(evidence)}{'' if evidence.endswith('.') else '.'}}}"
