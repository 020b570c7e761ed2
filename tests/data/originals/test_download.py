"""Downloads from a local test server: they resume, and count only if the hash matches."""

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.originals.download import download
from harness.data.originals.locate import fetch
from harness.data.prepared.prepare import silent
from harness.data.registry import Archive

CONTENT = bytes(range(256)) * 4000


class Server:
    """Serves one file, and misbehaves as configured."""

    def __init__(self):
        self.content = CONTENT
        self.cut_after = None
        self.ranges = True
        self.wrong_range = False
        self.status = None
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *arguments: None
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_port}/a.zip"

    def answer(self, request):
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and self.ranges else 0
        if self.status:
            request.send_error(self.status)
            return
        request.send_response(206 if wanted and self.ranges else 200)
        body = self.content[start:]
        request.send_header("Content-Length", str(len(body)))
        if wanted and self.ranges:
            first = 0 if self.wrong_range else start
            request.send_header("Content-Range", f"bytes {first}-{len(self.content) - 1}/{len(self.content)}")
        request.end_headers()
        request.wfile.write(body[: self.cut_after])


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def archive(server):
    return Archive("a.zip", len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest(), url=server.url)


def test_a_file_is_fetched_once_and_shows_how_far_it_is(server, archive, tmp_path):
    seen = []
    path = download(archive, tmp_path / "downloads", lambda *report: seen.append(report))
    assert path.read_bytes() == CONTENT
    assert ("downloading a.zip", len(CONTENT), len(CONTENT)) in seen
    assert download(archive, tmp_path / "downloads", silent) == path
    assert server.asked == [None]
    assert not [*path.parent.glob("*.part")]


def test_a_broken_connection_goes_on_where_it_was(server, archive, tmp_path):
    server.cut_after = 300_000
    with pytest.raises(DataError, match=r"cannot download http.*run the same command again to resume"):
        download(archive, tmp_path, silent)
    assert not (tmp_path / "a.zip").exists()
    have = (tmp_path / "a.zip.part").stat().st_size
    assert 0 < have <= 300_000
    server.cut_after = None
    assert download(archive, tmp_path, silent).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={have}-"]


def test_of_a_whole_file_without_its_name_nothing_is_asked_for_again(server, archive, tmp_path):
    """What was killed before it could rename the file."""
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    assert download(archive, tmp_path, silent).read_bytes() == CONTENT
    assert server.asked == []


def test_a_server_that_cannot_go_on_sends_everything_again(server, archive, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(b"wrong" * 100)
    server.ranges = False
    assert download(archive, tmp_path, silent).read_bytes() == CONTENT


def test_a_server_that_sends_another_part_is_refused(server, archive, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:500])
    server.wrong_range = True
    with pytest.raises(DataError, match=r"another range than requested: delete .*a.zip.part"):
        download(archive, tmp_path, silent)
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:500]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (CONTENT[:-1] + b"x", "its SHA-256 is .*, the original's is "),
        (CONTENT + b"more", "bytes, the original has 1,024,000"),
    ],
)
def test_what_is_not_the_archive_is_thrown_away(server, archive, tmp_path, content, match):
    server.content = content
    with pytest.raises(DataError, match=f"sent a different file, which was deleted: .*{match}"):
        download(archive, tmp_path, silent)
    assert not [*tmp_path.glob("a.zip*")]


def test_a_damaged_part_of_the_full_size_is_fetched_again(server, archive, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(bytes(len(CONTENT)))
    with pytest.raises(DataError, match="sent a different file, which was deleted"):
        download(archive, tmp_path, silent)
    assert download(archive, tmp_path, silent).read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "match"), [(404, "404 Not Found"), (503, "503 Service Unavailable")])
def test_a_refusal_of_the_server_is_one_line(server, archive, tmp_path, status, match):
    server.status = status
    with pytest.raises(DataError, match=f"cannot download http.*a.zip: {match}; .*--from") as caught:
        download(archive, tmp_path, silent)
    assert "\n" not in str(caught.value)


def test_a_part_that_the_server_does_not_know_is_restarted(server, archive, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:10])
    server.status = 416
    with pytest.raises(DataError, match="416"):
        download(archive, tmp_path, silent)
    server.status = None
    assert download(archive, tmp_path, silent).read_bytes() == CONTENT
    assert server.asked == ["bytes=10-", None]


def test_no_network_is_one_line(archive, tmp_path, server):
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(DataError, match=r"cannot download .*Connection refused.*get the file with a browser"):
        download(archive, tmp_path, silent)


@pytest.mark.parametrize("data", [catalogue.IMAGENET32, catalogue.CELEBA32, catalogue.CELEBAHQ128])
def test_what_needs_an_account_or_a_browser_says_where_to_go(tmp_path, data):
    with pytest.raises(DataError, match=r"cannot be downloaded by a program: get it from https://.*--from"):
        fetch(data, tmp_path, silent)
    assert not [*tmp_path.iterdir()]
