"""The LaTeX packages that tables, figures and the document need, and whether this machine has them."""

import shutil
import subprocess
from pathlib import Path

TABLE = ("booktabs", "multirow", "siunitx", "adjustbox", "amssymb")
"""The packages that a document must load to input a table."""
FIGURE = ("graphicx", "amssymb")
DOCUMENT = (*TABLE, "graphicx", "longtable", "geometry", "caption", "microtype", "hyperref", "bookmark")
DEBIAN = ("texlive-latex-base", "texlive-latex-recommended", "texlive-science", "texlive-latex-extra")
INSTALL = f"sudo apt-get install -y --no-install-recommends {' '.join(DEBIAN)}"
QUERY_SECONDS = 60


def lacking() -> list[str]:
    """Return the programs and packages that PDFs need and this machine lacks: pdflatex, or LaTeX packages."""
    if shutil.which("pdflatex") is None:
        return ["pdflatex"]
    asked = {f"{package}.sty": package for package in DOCUMENT}
    try:
        done = subprocess.run(["kpsewhich", *asked], capture_output=True, text=True, check=False, timeout=QUERY_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []  # TeX itself reports missing packages
    found = {Path(line).name for line in done.stdout.splitlines()}
    return [package for name, package in asked.items() if name not in found]
