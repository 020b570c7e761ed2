"""Files that systems, synchronisers and editors leave beside others change nothing."""

import shutil

import pytest
from arena import SHOWN
from kept import Kept
from values import REPORT, VALUES
from watched import watch

CASES = 80
NAMES = (
    ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r", ".directory", ".dropbox", ".nfs00000000deadbeef", ".stfolder",
    "~$document.docx", ".~lock.notes.txt#", ".gitignore", ".gitkeep", "nohup.out", "core", "README.txt",
)  # fmt: skip
"""Names that are equal everywhere."""
BESIDE = (
    "._{name}", "{name}~", "{name}.bak", "{name}.orig", "{name}.swp", ".{name}.swp", ".#{name}", "#{name}#",
    "{name}.part", "{name}.crdownload", ".{name}.icloud", "{stem} (copy){suffix}", "{stem} (1){suffix}",
    "{stem} copy{suffix}", "Copy of {name}", "{stem} (conflicted copy 2026-01-01){suffix}",
    "{stem}.sync-conflict-20260101-120000-ABCDEF{suffix}", ".syncthing.{name}.tmp", "~{name}", "{name}.tmp",
    "{stem} - Copy{suffix}",
)  # fmt: skip
"""Names made from that of a file."""
FOLDERS = (
    "@eaDir",
    "__MACOSX",
    ".Trash-1000",
    ".Spotlight-V100",
    ".ipynb_checkpoints",
    "lost+found",
    ".stversions",
    ".git",
)


def stray(folder, dice):
    """Put a stray into a folder or below it, and return its path."""
    place = dice.choice([folder, *(path for path in folder.rglob("*") if path.is_dir())])
    files = [path for path in place.iterdir() if path.is_file()]
    if files and dice.random() < 0.6:
        like = dice.choice(files)
        path = place / dice.choice(BESIDE).format(name=like.name, stem=like.stem, suffix=like.suffix)
    elif dice.random() < 0.2:
        path = place / dice.choice(FOLDERS)
        path.mkdir(exist_ok=True)
        path, files = path / dice.choice(("x", *(file.name for file in files))), files
    else:
        path = place / dice.choice(NAMES)
    if not path.exists():
        content = dice.choice((b"", b"\0\5\x16\7\0\2\0\0Mac OS X", b"\0\0\0\1Bud1", None))
        if content is None and files:
            shutil.copy(dice.choice(files), path)
        else:
            path.write_bytes(content or b"")
    return path


@pytest.mark.soak
@pytest.mark.timeout(3600, method="thread")
def test_strays_change_no_word_of_any_command(storm, arena, harness, toy_environment, data_root, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(data_root, data)
    environment = toy_environment | {"HARNESS_DATA": str(data)}
    kept = [Kept(arena.root), Kept(data)]
    lines = (
        ["status"], ["status", "--json"], ["list"], ["plan", *SHOWN[:3]], ["run", *SHOWN[:3], "-n"], VALUES,
        REPORT, ["compare", arena.root, arena.root], ["data", "list"], ["cancel", "--all"],
        ["verify"], [*REPORT, "--bundle", tmp_path / "bundle.zip"],
    )  # fmt: skip

    def see(line):
        (tmp_path / "bundle.zip").unlink(missing_ok=True)
        arena.beat()
        return watch(harness, *line, results=arena.root, env=environment)

    def put_back():
        for folder in kept:
            folder.put_back()

    expected = {}
    for line in lines:
        put_back()
        expected[tuple(line)] = see(line)
    for seed, dice in storm.cases(CASES):
        put_back()
        case = ", ".join(
            str(stray(dice.choice((arena.root, arena.root / "runs", data)), dice)) for _ in range(dice.choice((1, 3)))
        )
        for line in dice.sample(lines, 5):
            seen, whole = see(line), expected[tuple(line)]
            for fault in seen.faults:
                storm.fault(seed, case, fault)
            if not seen.faults and steady(seen) != steady(whole):
                storm.fault(seed, case, f"{line[0]} says something else: {difference(seen, whole)}")


def steady(seen):
    """Return the exit code and the lines that do not depend on the time."""
    return seen.code, [line for line in seen.said.splitlines() if not any(word in line for word in MOVING)]


MOVING = ("heartbeat", " ago", "seconds", "GB ", "bundle.zip", "in all")


def difference(seen, whole):
    """Return the first line that differs."""
    (code, said), (former, expected) = steady(seen), steady(whole)
    new = [line for line in said if line not in expected] or [line for line in expected if line not in said]
    return f"{former} -> {code}: {new[:1]}"
