"""The device, the versions and the commit that a segment records."""

import socket
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.store import provenance


def test_a_segment_tells_where_and_with_what_it_runs(monkeypatch):
    monkeypatch.setattr(provenance, "git_state", lambda: ("c" * 40, True))
    segment = provenance.segment("cuda", "H200", 3, 4)
    assert abs(datetime.now(UTC) - segment.started) < timedelta(minutes=1)
    assert (segment.device, segment.device_name, segment.threads) == ("cuda", "H200", 3)
    assert (segment.world_size, segment.devices, segment.seconds) == (4, 4, 0)
    assert (segment.commit, segment.dirty, segment.host) == ("c" * 40, True, socket.gethostname())
    assert segment.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {name: segment.versions[name] for name in ("torch", "numpy")} == {
        name: version(name) for name in ("torch", "numpy")
    }
    monkeypatch.setattr(provenance, "PACKAGES", ("not-installed-here", "numpy"))
    assert list(provenance.versions()) == ["python", "numpy"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor: 0\nmodel name\t:  Fast   CPU @ 3 GHz: new \nmodel name: other\n", "Fast CPU @ 3 GHz: new"),
        ("model name:\nmodel: 7\n", "some arch"),
        (None, "some arch"),
    ],
)
def test_the_processor_is_named_by_its_model_else_by_its_architecture(monkeypatch, text, name):
    def read(path, **how):
        assert path == Path("/proc/cpuinfo") and how == {"errors": "replace"}
        if text is None:
            raise FileNotFoundError(path)
        return text

    monkeypatch.setattr(Path, "read_text", read)
    monkeypatch.setattr(provenance.platform, "processor", lambda: "")
    monkeypatch.setattr(provenance.platform, "machine", lambda: "some arch")
    assert provenance.processor_name.__wrapped__() == name
