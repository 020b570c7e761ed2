"""The outlook of undecided claims as text and JSON: what they turn on, what their seeds take, and what seeds cannot."""

from typing import Any

from harness.advice import command
from harness.launch.estimate.target import Target
from harness.report.results.outlook import ClaimOutlook
from harness.report.results.report import ExhibitReport
from harness.report.writers.claim_evidence import claim_evidence
from harness.report.writers.wording import counted
from harness.sequential.costs import Prospect, prospects
from harness.sequential.look import Look, look
from harness.sequential.rounds import Step
from harness.store.decisions import Decision
from harness.store.results import Results
from harness.store.usage import hours


def heading(step: Step) -> str:
    """Return what the runs of a round are for."""
    number, seeds = len(step.plan.unfinished()) if step.plan else 0, step.decision.seeds
    runs = f"{counted(number, 'run', 'runs')} to do"
    if step.number == 1:
        return f"round 1: {runs} ({'seed 0' if seeds == 1 else f'seeds 0 to {seeds - 1}'} of every row)"
    which = f"round {step.number} of at most {step.decision.most_seeds - seeds + 1}"
    if step.look is None:
        return f"{which} goes on: {runs}"
    claims = counted(sum(step.look.statuses.values()), "claim", "claims")
    return f"{which}: {runs} for {len(step.look.helped)} of {claims}"


def conclusion(step: Step, seen: Look) -> list[str]:
    """Return which claims are decided, and why no more seeds are added."""
    lines = [summary(seen)]
    if step.over_budget:
        lines.append(f"--budget {step.decision.budget:g} ends it: no run of the next round is within the rest of it")
    return [*lines, *_not_helped(seen)]


def summary(seen: Look) -> str:
    """Return how many claims have each status at the level of the decision."""
    claims = counted(sum(seen.statuses.values()), "claim", "claims")
    by_status = ", ".join(status.counted(number) for status, number in seen.statuses.items() if number)
    return f"{claims} by intervals of {_level(seen)}: {by_status or 'none'}"


def outlook_of(step: Step, results: Results, target: Target) -> list[str]:
    """Return what the undecided claims turn on and what their seeds would take, line by line.

    Before anything is measured, return what the first round is.
    """
    seen = step.look or look(step.decision, results)
    if not sum(seen.statuses.values()):
        return ["no claim to decide", *([heading(step)] if step.plan else [])]
    if not any(report.series for report in seen.reports):
        return [heading(step)]
    return _outlook(step, seen, results, target)


def _outlook(step: Step, seen: Look, results: Results, target: Target) -> list[str]:
    most = counted(seen.most_seeds, "seed", "seeds")
    errs = "a claim whose true value lies on its bound is decided wrongly with at most 2.5 % on each side"
    lines = [f"{summary(seen)}.", f"However often one looks, up to {most} of a row, {errs}.", *_open_again(seen)]
    of_claims, together = prospects(step.decision, seen, results, target)
    for (report, found), prospect in zip(seen.helped, of_claims, strict=True):
        if not found.result.missing:
            lines += ["", f"{report.exhibit.name}, {found.result.claim.where}: {found.result.claim.says}"]
            lines += [f"    {_turns_on(report, found)}", f"    {_seeds(found)}; {_taken(prospect)}"]
    if missing := [report.exhibit.name for report, found in seen.helped if found.result.missing]:
        many = counted(len(missing), "claim is", "claims are")
        lines += ["", f"{many} not measured yet ({', '.join(dict.fromkeys(missing))})"]
    if seen.helped:
        lines += ["", f"{_following(step)}; all rounds: {_taken(together)}{_within(step.decision)}"]
    elif step.plan is not None:
        lines += ["", heading(step)]
    return [*lines, *(["", *_not_helped(seen)] if seen.futile else [])]


def _open_again(seen: Look) -> list[str]:
    """Return that claims are open again which reports decide at the lower level of fixed seeds, if there are any."""
    reported = sum(found.status.decided for report in seen.reports for found in report.claim_results)
    more = reported - sum(number for status, number in seen.statuses.items() if status.decided)
    if more <= 0:
        return []
    many = counted(more, "more claim", "more claims")
    return [
        f"'report' decides {many}, by intervals of 95 % for a number of seeds fixed beforehand; here they are open."
    ]


def _within(decision: Decision) -> str:
    """Return how much of all rounds the budget allows."""
    return "" if decision.budget is None else f", of which --budget allows {decision.budget:g} device-hours"


def _following(step: Step) -> str:
    """Return what the next round is, or why there is none though seeds may help."""
    if step.plan is not None:
        return heading(step)
    if step.over_budget:
        return f"--budget {step.decision.budget:g} allows no more runs"
    return f"no run is left to do, since records of finished ones do not count ('{command('verify')}' names them)"


def document(step: Step, results: Results, target: Target) -> dict[str, Any]:
    """Return the outlook as documented JSON (docs/results.md)."""
    decision = step.decision
    seen = step.look or look(decision, results)
    of_claims, together = prospects(decision, seen, results, target)
    expected = {id(one): prospect for (_, one), prospect in zip(seen.helped, of_claims, strict=True)}
    return {
        "scale": decision.scale,
        "most_seeds": decision.most_seeds,
        "budget_hours": decision.budget,
        "level": seen.level,
        "statuses": {status.value: number for status, number in seen.statuses.items()},
        "claims": [
            {
                "exhibit": report.name,
                "where": one.result.claim.where,
                "says": one.result.claim.says,
                "turns_on": _turns_on(report, one) or None,
                "rows": list(one.rows),
                "seeds_for_even_odds": list(one.seeds) if one.seeds else None,
                "chance": round(one.chance, 4),
                "seeds_do_not_help": one.futility or None,
                **_to_json(expected.get(id(one))),
            }
            for report, one in seen.outlooks
        ],
        "next_round": {"number": step.number, "runs": [p.run.id for p in step.plan.unfinished()]}
        if step.plan
        else None,
        "all_rounds": _to_json(together),
    }


def _to_json(prospect: Prospect | None) -> dict[str, Any]:
    if prospect is None:
        return {"runs": None, "device_hours": None}
    return {"runs": list(prospect.runs), "device_hours": [round(end, 6) for end in prospect.hours]}


def _turns_on(report: ExhibitReport, found: ClaimOutlook) -> str:
    """Return the contrast that a claim turns on, with its interval; the rows that need a spread if it has none."""
    if found.result.missing:
        return found.result.reason
    if found.turns_on is None:
        return f"no spread between seeds is known for {', '.join(found.rows)}" if found.rows else ""
    place = found.result.contrasts.index(found.turns_on)
    return claim_evidence(found.result, report).contrasts[place]


def _seeds(found: ClaimOutlook) -> str:
    if found.seeds is None:
        return "seeds for even odds are not known from one seed"
    first, last = found.seeds
    if first > found.most_seeds:
        within = f"with {found.most_seeds} the chance is {100 * found.chance:.0f} %"
        return f"more than {found.most_seeds} seeds for even odds ({within})"
    end = f"more than {found.most_seeds}" if last > found.most_seeds else str(last)
    return f"{first if first == last else f'{first} to {end}'} seeds for even odds"


def _taken(prospect: Prospect) -> str:
    """Return runs and hours, each as a range."""
    least, most = map(hours, prospect.hours)
    time = least if least == most else f"{least} to {most}"
    first, last = prospect.runs
    runs = f"{first if first == last else f'{first} to {last}'} {'run' if last == 1 else 'runs'}"
    return f"{runs}, {time} device-hours"


def _not_helped(seen: Look) -> list[str]:
    """Return why seeds do not help, each reason once with its exhibits."""
    reasons: dict[str, list[str]] = {}
    for report, found in seen.futile:
        reasons.setdefault(found.futility, []).append(report.exhibit.name)
    return [
        f"seeds do not help {counted(len(names), 'claim', 'claims')} ({', '.join(dict.fromkeys(names))}): {why}"
        for why, names in reasons.items()
    ]


def _level(seen: Look) -> str:
    return f"{100 * seen.level:.4g} %"
