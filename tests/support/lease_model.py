"""A model of contenders for a lease: every order of their file operations, crashes and late heartbeats.

`contend` itself decides what a contender does: it is called again with the results of its operations so far, until it
asks for the next one. Owners write as `write_atomically` does: look, create a temporary file, look, rename.
"""

from collections import Counter
from functools import lru_cache
from math import inf
from typing import NamedTuple

from harness.store.lease_files import NO_LEASE, Sighting

LIVE, LATE, BEATEN = range(3)
"""A heartbeat in time, one that is later than the bound, and one that came after all."""
GONE = ("gone",)
"""A contender that has not begun, gave up, released its lease, or is dead."""


class Violation(AssertionError):
    """Two owners at once, or a write after another worker took over."""


class World(NamedTuple):
    """The files and the contenders.

    `leases` are (number, owner, content), `temporary` the (owner, number) of unfinished writes, `contenders` their
    states, `beats` their heartbeats, `rounds` how often each may still begin, `late` and `crashes` how many heartbeats
    may still be late and contenders die, and `acquired` the highest number that was ever taken completely.
    """

    leases: tuple
    temporary: frozenset
    contenders: tuple
    beats: tuple
    rounds: tuple
    late: int
    crashes: int
    acquired: int = 0

    @property
    def newest(self):
        return max((number for number, _, _ in self.leases), default=0)

    def lease(self, number):
        return next((lease for lease in self.leases if lease[0] == number), None)

    def with_lease(self, number, owner, content):
        kept = [lease for lease in self.leases if lease[0] != number]
        return self._replace(leases=tuple(sorted([*kept, (number, owner, content)])))

    def without_lease(self, number):
        return self._replace(leases=tuple(lease for lease in self.leases if lease[0] != number))

    def at(self, who, state):
        return self._replace(contenders=(*self.contenders[:who], state, *self.contenders[who + 1 :]))

    def with_rounds(self, who, left):
        return self._replace(rounds=(*self.rounds[:who], left, *self.rounds[who + 1 :]))

    def beating(self, who, beat):
        return self._replace(beats=(*self.beats[:who], beat, *self.beats[who + 1 :]))


class Asked(Exception):
    """The protocol asks for an operation whose result is not known yet."""


class Replayed:
    """File operations with known results."""

    def __init__(self, results):
        self._results = list(results)

    def __getattr__(self, name):
        def operation(*arguments):
            if not self._results:
                raise Asked(name, arguments)
            return self._results.pop(0)

        return operation


class Model:
    """All behaviours of some contenders with one protocol.

    Without `links`, a lease is created empty and then filled. Without `looks`, owners do not look before they write.
    """

    def __init__(self, contend, contenders, rounds=1, late=inf, crashes=inf, links=True, looks=True, left=()):
        self._links, self._looks = links, looks
        self._next = lru_cache(maxsize=None)(lambda results: _next(contend, results))
        everyone = range(contenders)
        self._start = World(
            tuple(left), frozenset(), tuple(GONE for _ in everyone), tuple(LIVE for _ in everyone),
            tuple(rounds for _ in everyone), late, crashes,
        )  # fmt: skip
        self.seen = Counter()
        """How often each kind of step was taken."""

    def explore(self):
        """Visit every reachable state once and return their number.

        Raises `Violation` with the steps that lead to it.
        """
        before = {self._start: None}
        todo = [self._start]
        while todo:
            world = todo.pop()
            try:
                for what, after in self._steps(world):
                    self.seen[what[0]] += 1
                    if after not in before:
                        before[after] = (world, what)
                        self._check(after)
                        todo.append(after)
            except Violation as error:
                raise Violation(f"{error}: {_trace(before, world)}") from None
        return len(before)

    def _check(self, world):
        owners = [state for state in world.contenders if state[0] == "owner"]
        if len(owners) > 1 and set(world.beats) == {LIVE}:
            raise Violation(f"two owners without a late heartbeat: {owners}")

    def _steps(self, world):
        for who, state in enumerate(world.contenders):
            has_lease = any(owner == who for _, owner, _ in world.leases)
            if world.beats[who] == LIVE and has_lease and world.late:
                yield ("late", who), world.beating(who, LATE)._replace(late=world.late - 1)
            if state == GONE:
                if world.rounds[who]:
                    yield from self._operate(world.with_rounds(who, world.rounds[who] - 1), who, ())
                continue
            if has_lease and world.crashes:  # dying without a lease is the same as never going on
                yield ("crash", who), world.with_rounds(who, 0).at(who, GONE)._replace(crashes=world.crashes - 1)
            kind = state[0]
            if kind == "contending":
                yield from self._operate(world, who, state[1])
            elif kind == "filling":
                yield from self._fill(world, who, *state[1:])
            else:
                yield from self._own(world, who, *state[1:])

    def _operate(self, world, who, results):
        name, arguments = self._next(results)
        after, result = getattr(self, f"_{name}")(world, who, *arguments)
        if name == "take" and result and not self._links:
            yield (name, who, *arguments), after.at(who, ("filling", arguments[0], (*results, result)))
        else:
            yield (name, who, *arguments), self._settled(after, who, (*results, result))

    def _settled(self, world, who, results):
        name, answer = self._next(results)
        if name != "end":
            return world.at(who, ("contending", results))
        if answer is None:
            return world.at(who, GONE)
        acquired = max(world.acquired, answer)
        return world._replace(acquired=acquired).at(who, ("owner", answer, "idle", 1))

    def _fill(self, world, who, number, results):
        if world.lease(number) == (number, who, "empty"):
            world = world.with_lease(number, who, "held")
        yield ("fill", who, number), self._settled(world, who, results)

    def _own(self, world, who, number, phase, writes):
        def to(phase, world=world, writes=writes):
            return world.at(who, ("owner", number, phase, writes))

        held = world.newest == number or not self._looks
        if world.beats[who] == LATE and world.newest == number:
            yield ("beat", who), world.beating(who, BEATEN)
        if phase in ("idle", "written") and not held:
            yield ("lost", who), world.at(who, GONE)
        elif phase == "idle":
            yield ("look", who), to("looked" if writes else "leaving")
        elif phase == "looked":
            yield ("create", who), to("written", world._replace(temporary=world.temporary | {(who, number)}))
        elif phase == "written":
            yield ("look", who), to("looked again")
        elif phase == "looked again":
            yield self._rename(world, who, number, to)
        elif phase == "leaving":
            if world.lease(number):
                world = world.with_lease(number, who, "released")
            yield ("release", who), world.beating(who, LIVE).at(who, GONE)

    def _rename(self, world, who, number, to):
        if (who, number) not in world.temporary:
            return ("fenced", who), world.at(who, GONE)
        if number < world.acquired:
            raise Violation(f"{who} writes with lease.{number} after lease.{world.acquired} was taken")
        return ("rename", who), to("idle", world._replace(temporary=world.temporary - {(who, number)}), 0)

    def _numbers(self, world, who):
        return world, tuple(number for number, _, _ in world.leases)

    def _look(self, world, who, number):
        lease = world.lease(number)
        if lease is None:
            return world, NO_LEASE
        _, owner, content = lease
        beat = world.beats[owner] if owner >= 0 else LATE
        alive = beat != LATE and (content == "empty" or (content == "held" and world.contenders[owner] != GONE))
        return world, Sighting(alive, stamp=(content, owner, beat))

    def _take(self, world, who, number):
        if world.lease(number):
            return world, False
        return world.with_lease(number, who, "held" if self._links else "empty"), True

    def _remove(self, world, who, number):
        return world.without_lease(number), None

    def _sweep(self, world, who, number):
        kept = frozenset(each for each in world.temporary if each[1] >= number)
        return world._replace(temporary=kept), None


def _next(contend, results):
    """Return the next operation of the protocol and its arguments, or "end" and what it returns."""
    try:
        return "end", contend(Replayed(results))
    except Asked as asked:
        return asked.args


def _trace(before, world):
    steps = []
    while before[world] is not None:
        world, what = before[world]
        steps.append(" ".join(map(str, what)))
    return "; ".join(reversed(steps))
