"""What LaTeX must have for the tables, the figures and the document, and whether this machine has it."""

import shutil
import subprocess
from pathlib import Path

TABLE = ("booktabs", "multirow", "siunitx", "adjustbox", "amssymb")
"""The packages that a document which inputs a table must load."""
FIGURE = ("graphicx", "amssymb")
DOCUMENT = (*TABLE, "graphicx", "longtable", "geometry", "caption", "microtype", "hyperref", "bookmark")
DEBIAN = ("texlive-latex-base", "texlive-latex-recommended", "texlive-science", "texlive-latex-extra")
INSTALL = f"sudo apt-get install -y --no-install-recommends {' '.join(DEBIAN)}"
MOST_SECONDS = 60


def lacking() -> list[str]:
    """Return what this machine lacks to make PDFs: pdflatex, or packages of LaTeX."""
    if shutil.which("pdflatex") is None:
        return ["pdflatex"]
    asked = {f"{package}.sty": package for package in DOCUMENT}
    try:
        done = subprocess.run(["kpsewhich", *asked], capture_output=True, text=True, check=False, timeout=MOST_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []  # then TeX itself says what is missing
    found = {Path(line).name for line in done.stdout.splitlines()}
    return [package for name, package in asked.items() if name not in found]
