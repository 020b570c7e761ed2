"""Typesets a document with pdflatex: in a temporary folder, without shell escape, with a time limit."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness import environment
from harness.report.latex.installation import INSTALL, lacking
from harness.store.files import write_bytes

TIMEOUT_SECONDS = 180
MAX_PASSES = 4
UNSETTLED = re.compile(rb"Rerun (to|LaTeX)")
"""The log's request for another pass."""


@dataclass(frozen=True)
class Typeset:
    """The result of typesetting: the PDF, or one line that says why there is none."""

    pdf: Path | None
    problem: str = ""


def typeset(source: Path, beside: Iterable[Path], timeout_seconds: float = TIMEOUT_SECONDS) -> Typeset:
    """Typeset copies of `source` and its inputs, and write the PDF beside `source`, without TeX's other files.

    On an error TeX's log is written beside the source; the problem names it.
    """
    if lacks := lacking():
        return Typeset(None, f"no PDF of the report: {', '.join(lacks)} not found; install with: {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="harness-latex-") as scratch:
        folder = Path(scratch)
        for path in (source, *beside):
            shutil.copyfile(path, folder / path.name)
        problem = _passes(source.name, folder, timeout_seconds)
        pdf, log = folder / f"{source.stem}.pdf", folder / f"{source.stem}.log"
        if not problem and pdf.exists():
            write_bytes(source.with_suffix(".pdf"), pdf.read_bytes())
            source.with_suffix(".log").unlink(missing_ok=True)
            return Typeset(source.with_suffix(".pdf"))
        content = log.read_bytes() if log.exists() else b"pdflatex wrote no log\n"
        write_bytes(source.with_suffix(".log"), content)
    reason = problem or "no pages"
    return Typeset(None, f"no PDF of the report: {reason}; see {source.with_suffix('.log')}. The .tex files are kept.")


def _passes(name: str, folder: Path, timeout_seconds: float) -> str:
    """Run pdflatex until references are resolved; return the problem, or an empty string."""
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", name]
    # Paranoid mode: TeX opens files of this folder only. Fixed dates: the same report gives the same PDF.
    home = environment.home()
    # TeX keeps fonts that it makes in the home folder.
    fonts = {} if home and os.access(home, os.W_OK) else {"HOME": str(folder)}
    variables = fonts | {"openin_any": "p", "openout_any": "p", "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    for _ in range(MAX_PASSES):
        with open(folder / "output.txt", "wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **variables}, start_new_session=True,
            )  # fmt: skip
            try:
                code = process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return f"pdflatex did not finish within {timeout_seconds:g} s"
        if code:
            return f"pdflatex stopped at {_first_error((folder / 'output.txt').read_text(errors='replace'))}"
        if not UNSETTLED.search((folder / name).with_suffix(".log").read_bytes()):
            break
    return ""


def _first_error(output: str) -> str:
    """Return TeX's first error: a line `FILE:LINE: message`, or one that begins with `!`."""
    for line in output.splitlines():
        name, _, rest = line.partition(":")
        if line.startswith("!") or (name.endswith(".tex") and rest[:1].isdigit()):
            return line.removeprefix("! ").removeprefix("./").rstrip(".")
    return "an unnamed error"
