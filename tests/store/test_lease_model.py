"""The protocol of leases in every order of its file operations, and that the model finds the errors of weaker ones."""

from dataclasses import replace

import pytest
from lease_model import Model, Violation

from harness.store.lease import contend

LEFT = ((1, -1, "held"),)
"""The lease of a process that is dead."""


def without_second_look(files):
    """The protocol before there was a second look."""
    current = max(files.numbers(), default=0)
    if files.look(current).alive or not files.take(current + 1):
        return None
    for lower in files.numbers():
        if lower <= current:
            files.remove(lower)
    return current + 1


def changed(name):
    """Return the protocol without the sweep, or with empty leases that are dead and are not looked at again."""

    class Changed:
        def __init__(self, files):
            self._files = files
            self._looked = {}

        def __getattr__(self, operation):
            return getattr(self._files, operation)

        def sweep(self, number):
            if name != "sweep":
                self._files.sweep(number)

        def look(self, number):
            seen = self._files.look(number)
            if name == "empty" and seen.stamp and seen.stamp[0] == "empty":
                return self._looked.setdefault(number, replace(seen, alive=False))
            return self._looked.get(number, seen)

    return lambda files: contend(Changed(files))


@pytest.mark.parametrize(
    "bounds",
    [
        {"contenders": 2, "rounds": 2, "late": 1, "crashes": 1, "links": True},
        {"contenders": 2, "rounds": 2, "late": 1, "crashes": 1, "links": False},
        {"contenders": 3, "late": 1, "crashes": 1, "links": True},
        {"contenders": 3, "late": 0, "crashes": 1, "links": False},
    ],
)
def test_contenders_never_own_and_write_at_once(bounds):
    model = Model(contend, **bounds, left=LEFT)
    assert model.explore() > 5000
    assert model.seen.keys() >= {"crash", "rename", "release", "remove"} | (
        {"late", "lost"} if bounds["late"] else set()
    )


@pytest.mark.soak
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("left", [(), LEFT], ids=["new", "left"])
@pytest.mark.parametrize("contenders", [{"contenders": 2, "rounds": 2}, {"contenders": 3}], ids=["two", "three"])
def test_any_number_of_them_may_be_late_and_die(contenders, left, links):
    model = Model(contend, **contenders, links=links, left=left)
    assert model.explore() > 50_000
    assert model.seen.keys() >= {"crash", "late", "beat", "lost", "fenced", "rename", "release", "remove"}


def test_without_a_second_look_a_slow_contender_owns_a_number_that_was_free_again():
    with pytest.raises(Violation):
        Model(without_second_look, contenders=3, left=LEFT).explore()


def test_without_links_a_lease_that_is_being_created_must_count():
    with pytest.raises(Violation, match="two owners without a late heartbeat"):
        Model(changed("empty"), contenders=2, rounds=2, links=False).explore()


def test_without_the_sweep_a_late_rename_takes_effect():
    with pytest.raises(Violation, match=r"writes with lease\.\d after lease\.\d was taken"):
        Model(changed("sweep"), contenders=2, left=LEFT).explore()


def test_without_looking_before_each_write_an_unseated_owner_goes_on_writing():
    with pytest.raises(Violation, match=r"writes with lease\.\d after lease\.\d was taken"):
        Model(contend, contenders=2, looks=False, left=LEFT).explore()
