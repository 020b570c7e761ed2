"""The whole report as a LaTeX document: counts, claims of the paper, tables and figures."""

from collections.abc import Mapping, Sequence

from harness.registry.paper import Paper
from harness.report.latex import figure
from harness.report.latex.answer import answer
from harness.report.latex.escape import tex
from harness.report.latex.installation import TABLE
from harness.report.results.claims import ClaimResult
from harness.report.results.report import ExhibitReport
from harness.report.writers import claims_list, wording
from harness.report.writers.answer import answers, exhibit_answer
from harness.report.writers.claim_evidence import claim_evidence

PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage[margin=2cm]{geometry}
\usepackage[font=small,labelfont=bf,tableposition=top]{caption}
\usepackage{PACKAGES}
\usepackage[expansion=false]{microtype}
\usepackage[hidelinks]{hyperref}
\usepackage{bookmark}
\ifdefined\pdfgentounicode\input{glyphtounicode}\pdfgentounicode=1\fi
\ifdefined\pdftrailerid\pdftrailerid{}\pdfinfoomitdate=1\pdfsuppressptexinfo=-1\fi
\setlength{\parindent}{0pt}
\setlength{\emergencystretch}{3em}
\raggedbottom
% Each table and figure stays below its answer.
\newcommand{\answer}[1]{{\raggedright\interlinepenalty=10000 #1\par}\nopagebreak\medskip\nopagebreak}
\newenvironment{unfloated}[1]{\par\noindent\begin{minipage}{\linewidth}\captionsetup{type=#1}}{\end{minipage}\par\bigskip}
\renewenvironment{table}[1][]{\begin{unfloated}{table}}{\end{unfloated}}
\renewenvironment{figure}[1][]{\begin{unfloated}{figure}}{\end{unfloated}}
\begin{document}
""".replace("PACKAGES", ",".join((*TABLE, "graphicx", "longtable")))
PICTURES_OF_TABLES = (
    "\\clearpage\\section{Pictures of the tables}",
    "\\renewcommand{\\figurename}{Picture}",
    "\\setcounter{figure}{0}\\renewcommand{\\theHfigure}{picture.\\arabic{figure}}",
)


def document(paper: Paper, reports: Sequence[ExhibitReport], pictures: Mapping[str, Sequence[str]]) -> str:
    """Return the document on some exhibits of a paper.

    It inputs their .tex files from its own folder; `pictures` maps exhibit names to picture files in that folder.
    """
    scale = reports[0].scale
    tables = [report for report in reports if report.exhibit.kind == "table"]
    drawn = [report for report in reports if report.exhibit.kind == "figure" and report.exhibit.name in pictures]
    of_tables = [
        figure.environment(report, picture, tex(f"Of {wording.caption(report)}. {report.scale.note}"))
        for report in tables
        for picture in pictures.get(report.exhibit.name, ())
    ]
    lines = [
        f"{{\\LARGE\\raggedright {tex(paper.title)}\\par}}\\medskip",
        f"\\url{{{paper.url}}}\\par\\medskip",
        *(f"{{\\large\\raggedright {answer(says)}\\par}}\\medskip" for says in answers(reports)),
        *_abstract(reports),
        f"Reported and measured values at scale {tex(scale.name)}. {tex(scale.note)}",
        *_summary(reports),
        *_claims(reports),
        *(["\\clearpage\\section{Tables}"] if tables else []),
        *map(_input, tables),
        *(["\\clearpage\\section{Figures}"] if drawn else []),
        *map(_input, drawn),
        *(PICTURES_OF_TABLES if of_tables else ()),
        *of_tables,
    ]
    return PREAMBLE + "\n".join(lines) + "\n\\end{document}\n"


def _input(report: ExhibitReport) -> str:
    """Return the TeX line that inputs an exhibit below its answer, numbered as in the paper."""
    exhibit = report.exhibit
    says = f"\\answer{{{answer(exhibit_answer(report))}}}\n"
    anchor = f"\\renewcommand{{\\theH{exhibit.kind}}}{{{exhibit.name}}}"
    return f"{says}\\setcounter{{{exhibit.kind}}}{{{exhibit.number - 1}}}{anchor}\\input{{{exhibit.name}}}"


def _summary(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return the verdicts and the status of claims, in total and by exhibit."""
    columns = len(claims_list.ORDER)
    heads = (
        "",
        "",
        "measured",
        "cells by verdict",
        *(f"\\multicolumn{{1}}{{r}}{{{status.partition(' ')[0]}}}" for status in claims_list.ORDER),
    )
    return [
        "\\section{Summary}",
        f"{tex(claims_list.verdicts(reports))}\\par",
        f"{tex(claims_list.summary(reports))}\\par",
        "{\\footnotesize\\setlength{\\tabcolsep}{4pt}",
        f"\\begin{{longtable}}{{@{{}}l{_ragged(0.34)}l{_ragged(0.18)}{'r' * columns}@{{}}}}",
        "\\toprule",
        f"& & & & \\multicolumn{{{columns}}}{{c}}{{claims}} \\\\ \\cmidrule(l){{5-{4 + columns}}}",
        f"{' & '.join(heads)} \\\\",
        "\\midrule\\endhead",
        "\\bottomrule\\endfoot",
        *map(_summary_line, reports),
        "\\end{longtable}}",
    ]


def _ragged(share: float) -> str:
    """Return a ragged-right text column of this share of the line width."""
    return f">{{\\raggedright\\arraybackslash}}p{{{share}\\linewidth}}"


def _summary_line(report: ExhibitReport) -> str:
    statuses = [result.status for result in report.claim_results]
    counts = [str(statuses.count(status) or "") for status in claims_list.ORDER]
    texts = (
        wording.heading(report),
        wording.subject(report),
        f"{report.measured} of {report.wanted}",
        str(report.verdict_counts),
        *counts,
    )
    return f"{' & '.join(map(tex, texts))} \\\\"


def _abstract(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return the claims of the abstract with their status."""
    found = claims_list.of_abstract(reports)
    items = [f"\\item \\textbf{{{tex(result.status.value)}}}: {tex(result.claim.says)}" for _, result in found]
    return ["The claims of the abstract:", "\\begin{itemize}", *items, "\\end{itemize}"] if items else []


def _claims(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return the claims with their evidence: those of the abstract, then the others, failing ones first."""
    lines = ["\\section{Claims of the paper}", tex("Differences are given with their intervals.")]
    for heading, chosen in claims_list.groups(reports):
        lines += [f"\\subsection*{{{heading}}}", "\\begin{itemize}"]
        lines += [_claim(report, result) for report, result in chosen]
        lines.append("\\end{itemize}")
    return lines if len(lines) > 2 else []


def _claim(report: ExhibitReport, result: ClaimResult) -> str:
    claim = result.claim
    where = ", ".join(filter(None, [wording.heading(report), wording.location(claim)]))
    where = f"{where}; {result.status.value}" if claim.abstract else where
    evidence = str(claim_evidence(result, report)).rstrip(".")
    return f"\\item {tex(claim.says)} {{\\footnotesize({tex(where)})\\\\{tex(evidence)}.}}"
