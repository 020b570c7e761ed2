"""Abbreviates lists of exhibits."""

import re
from collections import defaultdict
from collections.abc import Iterable


def ranges(names: Iterable[str]) -> list[str]:
    """Return a line per paper and kind of exhibit, with numbers as ranges: hybvit tables 1-3, 6."""
    groups: dict[str, list[int]] = defaultdict(list)
    for name in names:
        if match := re.fullmatch(r"(.+)/(table|figure)(\d+)", name):
            groups[f"{match[1]} {match[2]}s"].append(int(match[3]))
        else:
            groups[name.replace("/", " ")] = []
    return [
        f"{group if len(numbers) != 1 else group.removesuffix('s')} {_spans(sorted(numbers))}".strip()
        for group, numbers in groups.items()
    ]


def _spans(numbers: list[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return ", ".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)
