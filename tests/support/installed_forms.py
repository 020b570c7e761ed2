"""A small distribution in every form of installation, built by hand: no pip, no network."""

import json
import subprocess
import zipfile
from pathlib import Path

CODE = {
    "brew/__init__.py": "",
    "brew/paper.py": "import brew_tools.grind\nPAPER = None\n",
    "brew/kinds.py": 'implementation = "brew_nn:Net"\n',
    "brew/table.csv": "1,2\n",
    "brew_tools/__init__.py": "",
    "brew_tools/grind.py": "def grind():\n    return 1\n",
    "brew_nn.py": "class Net:\n    pass\n",
}
"""Three top-level names: the entry point names one, which imports the second; the third occurs in a string only."""
JUNK = {
    "brew/__pycache__/paper.cpython-311.pyc": "junk",
    "brew/.notes": "junk",
    "brew/run.log": "junk",
    "brew/weights.npz": "junk",
}
"""Files next to the code that are not code, unless declared."""
AROUND = {
    "setup.py": "raise SystemExit('never executed')\n",
    "tests/__init__.py": "",
    "tests/test_brew.py": "import brew\n",
    "train.py": "import brew\n",
}
"""Files of the project folder that are not installed."""
METADATA = "Metadata-Version: 2.1\nName: brew-paper\nVersion: 1.2\n"
ENTRY_POINTS = "[harness.papers]\nbrew = brew.paper:PAPER\n"


def write(folder, files):
    """Write files by their names."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def metadata(folder, record=None, editable=None, **further):
    """Write the metadata of a wheel, with a RECORD of the given names or without one."""
    info = folder / "brew_paper-1.2.dist-info"
    write(info, {"METADATA": METADATA, "entry_points.txt": ENTRY_POINTS, **further})
    if editable:
        write(info, {"direct_url.json": json.dumps({"url": editable.as_uri(), "dir_info": {"editable": True}})})
    if record is not None:
        names = [*record, *(f"{info.name}/{path.name}" for path in info.iterdir()), "../../../bin/brew"]
        write(info, {"RECORD": "".join(f"{name},,\n" for name in names)})


def regular(folder):
    """As pip installs a wheel: every file is listed, except junk added later."""
    site = write(folder / "site", {**CODE, **JUNK})
    metadata(site, record=CODE, **{"top_level.txt": "brew\nbrew_nn\nbrew_tools\n"})
    return [site]


def editable_by_a_path(folder):
    """Like hatchling and poetry for a project with `src`: a `.pth` names that folder, and nothing names packages."""
    project = write(write(folder / "project", AROUND) / "src", {**CODE, **JUNK})
    site = write(folder / "site", {"brew_paper.pth": f"{project}\n"})
    metadata(site, record=["brew_paper.pth"], editable=project.parent)
    return [site, project]


def editable_by_the_root(folder):
    """Like them for a project without `src`: the `.pth` names the root, which also has tests and scripts."""
    project = write(folder / "project", {**AROUND, **CODE, **JUNK})
    site = write(folder / "site", {"brew_paper.pth": f"{project}\n"})
    metadata(site, record=["brew_paper.pth"], editable=project)
    return [site, project]


def editable_with_a_finder(folder):
    """Like setuptools with a finder module of its own that knows the names; here it knows the path."""
    project = write(folder / "project", {**AROUND, **CODE, **JUNK})
    finder = {"__editable___brew_finder.py": "", "__editable__.brew.pth": "import __editable___brew_finder\n"}
    site = write(folder / "site", finder)
    metadata(site, record=finder, editable=project, **{"top_level.txt": "brew\nbrew_nn\nbrew_tools\n"})
    return [site, project]


def beside(folder):
    """On the path only, with adjacent metadata that names an entry point."""
    metadata(write(folder / "code", {**AROUND, **CODE, **JUNK}))
    return [folder / "code"]


def developed(folder):
    """Like `setup.py develop`: the project folder is on the path and has an `.egg-info`."""
    project = write(folder / "project", {**AROUND, **CODE, **JUNK})
    names = {"PKG-INFO": METADATA, "entry_points.txt": ENTRY_POINTS, "top_level.txt": "brew\nbrew_nn\nbrew_tools\n"}
    write(project / "brew_paper.egg-info", {**names, "SOURCES.txt": "setup.py\nbrew/paper.py\n"})
    return [project]


def wheel(folder):
    """A wheel on the path, which is an archive."""
    regular(folder)
    with zipfile.ZipFile(folder / "brew.whl", "w") as archive:
        for path in sorted((folder / "site").rglob("*")):
            archive.write(path, path.relative_to(folder / "site"))
    return [folder / "brew.whl"]


FORMS = (regular, editable_by_a_path, editable_by_the_root, editable_with_a_finder, beside, developed, wheel)


def git(folder, *arguments):
    """Call git in a folder and return its output."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path) -> str:
    """Commit all files of a folder that are not ignored to a new repository; return the commit."""
    git(folder, "init")
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "all")
    return git(folder, "rev-parse", "HEAD").strip()
