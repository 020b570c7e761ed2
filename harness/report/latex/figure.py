"""LaTeX figures: a picture with its caption."""

from collections.abc import Sequence

from harness.report.latex.answer import comment
from harness.report.latex.escape import tex
from harness.report.latex.installation import FIGURE
from harness.report.results.report import ExhibitReport
from harness.report.writers import exhibit_notes, wording


def figure(report: ExhibitReport, picture: str) -> str:
    """Return a `figure` environment for a picture in the same folder, with the exhibit's notes in the caption."""
    notes = " ".join([report.scale.note, *exhibit_notes.notes(report)])
    caption = f"{tex(wording.caption(report))}. {tex(notes)}"
    return environment(report, picture, caption, [comment(report)])


def environment(report: ExhibitReport, picture: str, caption: str, comments: Sequence[str] = ()) -> str:
    """Return a `figure` environment with a caption in LaTeX; the list of figures has no scale and no notes."""
    name = picture.rpartition(".")[0]
    return "\n".join(
        [
            f"% {report.name}, scale {report.scale.name}; needs \\usepackage{{{','.join(FIGURE)}}}",
            *comments,
            "\\begin{figure}[!htbp]",
            "\\centering",
            f"\\includegraphics[width=\\linewidth,height=0.8\\textheight,keepaspectratio]{{{picture}}}",
            f"\\caption[{{{tex(wording.subject(report))}}}]{{{caption}}}",
            f"\\label{{fig:{report.paper.name}-{name}}}",
            "\\end{figure}",
            "",
        ]
    )
