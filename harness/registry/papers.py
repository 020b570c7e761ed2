"""Installed papers, and lookup of their tables and figures by command-line names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from harness import INSTALL
from harness.config.evaluations import reading_of
from harness.config.plugins import PAPERS, load_plugins
from harness.errors import SpecError, nearest, unknown
from harness.registry.default_paper import default_paper
from harness.registry.exhibit import Exhibit
from harness.registry.paper import RESERVED, Paper

EVERYTHING = "papers"
GROUPS = ("all", "tables", "figures")


@dataclass(frozen=True)
class BrokenPaper:
    """A paper that cannot be used: its entry point, its distribution, and a one-line reason."""

    name: str
    distribution: str
    reason: str

    def __str__(self) -> str:
        return f"paper '{self.name}' of {self.distribution or 'an unknown distribution'} cannot be used: {self.reason}"


@dataclass(frozen=True)
class _LoadedPapers:
    papers: dict[str, Paper]
    distributions: dict[str, str]
    broken: tuple[BrokenPaper, ...]


@cache
def _loaded_papers() -> _LoadedPapers:
    papers: dict[str, Paper] = {}
    distributions: dict[str, str] = {}
    broken = []
    # If two papers have the same name, the one with an entry point of that name wins.
    for plugin in sorted(load_plugins(), key=lambda plugin: plugin.name != getattr(plugin.value, "name", plugin.name)):
        if problem := plugin.problem or (plugin.group == PAPERS and _problem(plugin.value, papers)):
            broken.append(BrokenPaper(plugin.name, plugin.distribution, problem))
        elif plugin.group == PAPERS:
            papers[plugin.value.name] = plugin.value
            distributions[plugin.value.name] = plugin.distribution
    return _LoadedPapers(papers, distributions, tuple(broken))


def _problem(value: object, papers: dict[str, Paper]) -> str:
    if not isinstance(value, Paper):
        return f"its entry point names an object of type {type(value).__name__}, not a Paper"
    if value.name in papers:
        return f"another paper is already called '{value.name}'"
    return ""


def papers() -> dict[str, Paper]:
    """Return all usable papers by name, the harness's own first."""
    return dict(_loaded_papers().papers)


def broken_papers() -> tuple[BrokenPaper, ...]:
    """Return the papers that cannot be used; only commands that name them fail."""
    return _loaded_papers().broken


def broken(paper: Paper, error: Exception) -> BrokenPaper:
    """Describe a paper that imports but fails when its exhibits are built."""
    return BrokenPaper(paper.name, _loaded_papers().distributions.get(paper.name, ""), str(error))


def find_exhibits(names: Sequence[str]) -> list[tuple[Paper, Exhibit]]:
    """Return the exhibits with these names, without duplicates, in the order of the papers.

    `table6` is an exhibit of the default paper, `ddgan/table2` of any paper; `ddgan` is a whole paper, `ddgan/figures`
    all its figures; `all`, `tables` and `figures` refer to the default paper; `papers` is everything. Optional exhibits
    must be named. Raises `SpecError` for an unknown name and for a paper that cannot be used.
    """
    chosen: dict[str, set[str]] = {}
    for name in names:
        for paper, exhibit in _resolve_name(name):
            chosen.setdefault(paper.name, set()).add(exhibit.name)
    return [
        (paper, exhibit)
        for paper in papers().values()
        for exhibit in paper.exhibits
        if exhibit.name in chosen.get(paper.name, ())
    ]


def find_with_readings(names: Sequence[str], also: Sequence[str]) -> list[tuple[Paper, Exhibit]]:
    """Return exhibits by name, with additional protocols such as `samples=50000`.

    Raises `SpecError` for an unknown name, or a setting that no evaluation has.
    """
    readings = [reading_of(text) for text in also]
    return [(paper, exhibit.also(*readings)) for paper, exhibit in find_exhibits(names)]


def _resolve_name(name: str) -> list[tuple[Paper, Exhibit]]:
    if name == EVERYTHING:
        if broken := broken_papers():
            raise SpecError(f"{broken[0]}; name the others: {', '.join(papers())}")
        return [entry for paper in papers().values() for entry in _exhibits_of(paper, "all")]
    owner, slash, inner = name.partition("/")
    if slash:
        return _exhibits_of(find_paper(owner), inner)
    if name in papers() or name in {paper.name for paper in broken_papers()}:
        return _exhibits_of(find_paper(name), "all")
    default = default_paper()
    try:
        paper = find_paper(default.name)
    except SpecError as error:
        raise SpecError(f"{error}{default.origin}") from None
    return _exhibits_of(paper, name)


def find_paper(name: str) -> Paper:
    """Return the paper with this name.

    Raises `SpecError` if there is none or it cannot be used.
    """
    if name in papers():
        return papers()[name]
    for broken in broken_papers():
        if broken.name == name:
            raise SpecError(str(broken))
    if not papers() and not broken_papers():
        raise SpecError(f"no paper is installed: in a clone of the harness, {INSTALL}")
    raise unknown("paper", name, papers())


def _exhibits_of(paper: Paper, name: str) -> list[tuple[Paper, Exhibit]]:
    """Return the exhibits of a paper for an exhibit name or a group name."""
    if name in GROUPS:
        wanted = [e for e in paper.exhibits if e not in paper.optional and name in ("all", f"{e.kind}s")]
        return [(paper, exhibit) for exhibit in wanted]
    found = [(paper, exhibit) for exhibit in paper.exhibits if exhibit.name == name]
    if not found:
        raise _unknown_exhibit(paper, name)
    return found


def _unknown_exhibit(paper: Paper, name: str) -> SpecError:
    own = [exhibit.name for exhibit in paper.exhibits]
    elsewhere = [
        f"{other.name}/{name}"
        for other in papers().values()
        if other != paper and any(exhibit.name == name for exhibit in other.exhibits)
    ]
    hint = f"did you mean '{elsewhere[0]}'? " if elsewhere else nearest(name, [*own, *GROUPS, *papers()])
    allowed = ", ".join(sorted([*own, *GROUPS]))
    return SpecError(
        f"unknown table or figure '{name}' of paper '{paper.name}': {hint}allowed: {allowed}; "
        f"of other papers, PAPER/NAME; papers: {', '.join(papers())}"
    )


assert {EVERYTHING, *GROUPS} == RESERVED
