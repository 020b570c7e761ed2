"""Random damage to one file: bytes, JSON values of odd types and sizes, other kinds of files, and other files."""

import os
import socket
from pathlib import Path

from json_damage import RAW, damaged


def mutate(path, dice, others, only=(), but=()):
    """Damage a file at random and return what was done in words.

    `others` are files to copy over it; `only` and `but` limit the kinds of damage.
    """
    name, change = dice.choice([kind for kind in KINDS if kind[0] not in but and (not only or kind[0] in only)])
    return f"{name} {change(path, dice, others)} of {path}"


def _flip(path, dice, others):
    data, number = bytearray(path.read_bytes()), dice.choice((1, 1, 1, 2, 8, 64))
    places = [dice.randrange(len(data)) for _ in range(number)] if data else []
    for place in places:
        data[place] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    return f"bits at {sorted(places)[:8]}"


def _truncate(path, dice, others):
    data = path.read_bytes()
    size = dice.choice((0, 1, len(data) // 2, max(len(data) - 1, 0), dice.randint(0, len(data))))
    path.write_bytes(data[:size])
    return f"to {size} bytes"


def _zeros(path, dice, others):
    data = bytearray(path.read_bytes())
    first = dice.randint(0, len(data))
    last = min(len(data), first + dice.choice((1, 16, 512, 4096)))
    data[first:last] = bytes(last - first)
    path.write_bytes(data)
    return f"at {first} to {last}"


def _insert(path, dice, others):
    data, place = path.read_bytes(), dice.choice((0, -1, None))
    place = dice.randint(0, len(data)) if place is None else (len(data) if place else 0)
    added = dice.choice((dice.randbytes(20), *RAW, b"\xef\xbb\xbf", b"\r\n", b"\n\n", b"\x1b[2J", data[:4096]))
    path.write_bytes(data[:place] + added + data[place:])
    return f"{added[:20]!r} ({len(added)} bytes) at {place}"


def _replace(path, dice, others):
    wide = path.read_bytes().decode(errors="replace").encode("utf-16")
    content = dice.choice((*RAW, b"null", b"[]", b"{}", b'""', b"3", wide, b" " * 2**20))
    path.write_bytes(content)
    return f"by {content[:20]!r} ({len(content)} bytes)"


def _value(path, dice, others):
    """Damage a value of a JSON document, or of one line of JSON Lines."""
    text = path.read_text(errors="replace")
    lines = text.splitlines(keepends=True) if path.suffix == ".jsonl" else [text]
    number = dice.randrange(len(lines)) if lines else 0
    found = damaged(lines[number], dice) if lines else None
    if found is None:
        return _replace(path, dice, others)
    content, said = found
    rest = [line.encode() for line in lines]
    path.write_bytes(b"".join([*rest[:number], content + b"\n", *rest[number + 1 :]]))
    return f"{said} in line {number + 1}"


def _other_file(path, dice, others):
    other = dice.choice([other for other in others if other != path])
    data = other.read_bytes()
    path.write_bytes(data)
    return f"by {other}"


def _other_kind(path, dice, others):
    """Put something else in the place of a file."""
    path.unlink()
    what = dice.choice(
        ("fifo", "folder", "full folder", "socket", "dangling", "loop", "outside", "zero", "parent", "none")
    )
    if what == "fifo":
        os.mkfifo(path)
    elif what in ("folder", "full folder"):
        path.mkdir()
        if what == "full folder":
            (path / "config.json").write_text("{}")
    elif what == "socket":
        _bind(path)
    elif what == "dangling":
        path.symlink_to("nowhere")
    elif what == "loop":
        path.symlink_to(path.name)
    elif what == "outside":
        path.symlink_to("/etc/passwd")
    elif what == "zero":
        path.symlink_to("/dev/zero")
    elif what == "parent":
        path.symlink_to(path.parent)
    return f"by {what}"


def _bind(path):
    """Make a socket in a folder whose path is too long for one."""
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as made:
        try:
            os.chdir(path.parent)
            made.bind(path.name)
        finally:
            os.chdir(here)


KINDS = (
    ("flip", _flip), ("truncate", _truncate), ("zeros", _zeros), ("insert", _insert), ("replace", _replace),
    ("value", _value), ("value", _value), ("value", _value), ("another file", _other_file), ("other kind", _other_kind),
)  # fmt: skip


def files_of(folder, *suffixes):
    """Return the files with these suffixes, or with names that start with `lease.`."""
    return sorted(
        path for path in Path(folder).rglob("*")
        if path.is_file() and (path.suffix in suffixes or path.name.startswith("lease."))
    )  # fmt: skip


def kind_of(path):
    """Return the kind of a file of a results directory, so that storms can hit each as often as others."""
    if path.suffix in (".npy", ".safetensors"):
        return path.parent.name.partition("-")[0]
    if path.name.startswith("lease."):
        return "lease"
    inside = path.parent.name if path.parent.name in ("segments", "requests", "evaluations", "checkpoints") else ""
    return f"{inside}/{path.name.partition('-')[0]}"
