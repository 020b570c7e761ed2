"""Checks of the installed papers: usable or broken."""

from harness.doctor.check import Check, CheckState
from harness.errors import SpecError
from harness.registry.cells import cells
from harness.registry.collisions import refuse_collisions
from harness.registry.papers import BrokenPaper, broken, broken_papers, papers
from harness.registry.scale import PAPER_SCALE


def check_papers() -> Check:
    """Load every paper, build its cells at every scale, and check that no scale maps two runs to one."""
    unusable = list(broken_papers())
    for paper in papers().values():
        try:
            for exhibit in paper.exhibits:
                for scale in (PAPER_SCALE, *paper.scales):
                    list(cells(paper, exhibit, exhibit.rows, scale, [0]))
            for scale in paper.scales:
                refuse_collisions(paper, [(exhibit, exhibit.rows) for exhibit in paper.exhibits], scale)
        except SpecError as error:
            unusable.append(broken(paper, error))
    names = [name for name in papers() if name not in {paper.name for paper in unusable}]
    says = "; ".join([", ".join(names) or "none", *map(str, unusable)])
    facts = {"papers": names, "broken": [_facts(paper) for paper in unusable]}
    return Check("papers", CheckState.DEGRADED if unusable else CheckState.OK, says, facts=facts)


def _facts(paper: BrokenPaper) -> dict[str, str]:
    return {"name": paper.name, "distribution": paper.distribution, "reason": paper.reason}
