"""Serves a live page on this machine, and nothing else: reading only, for who asks by the machine's own name."""

import errno
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from harness.errors import HarnessError
from harness.report.html.live import LivePage
from harness.report.html.page import live_policy

ADDRESS = "127.0.0.1"
IDLE_SECONDS = 30
HTML, JSON = "text/html; charset=utf-8", "application/json"


class PageServer(ThreadingHTTPServer):
    """A server of one page. A port of 0 takes any that is free.

    Raises `HarnessError` when the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, page: LivePage, port: int) -> None:
        self.page = page
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise HarnessError(f"port {port} is taken: give another with --port, 0 for any that is free") from None
            raise HarnessError(f"cannot serve on port {port}: {error.strerror}") from None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_port}/"

    @property
    def names(self) -> set[str]:
        """What a browser of this machine calls the server. Any other name comes from a page that was lured here."""
        return {f"{host}:{self.server_port}" for host in (ADDRESS, "localhost")}

    def serve(self) -> None:
        """Serve, and keep the page up to date, until interrupted."""
        stop = threading.Event()
        threading.Thread(target=self.page.follow, args=[stop], name="page", daemon=True).start()
        try:
            self.serve_forever()
        finally:
            stop.set()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version = "harness"
    sys_version = ""
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.names:
            self._say(HTTPStatus.MISDIRECTED_REQUEST, "This server answers to its own address only.")
            return
        found = self._find(urlsplit(self.path).path)
        if found is None:
            self._say(HTTPStatus.NOT_FOUND, "There is nothing here but the page.")
        else:
            self._answer(HTTPStatus.OK, *found)

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self) -> None:
        self.close_connection = True
        self._say(HTTPStatus.METHOD_NOT_ALLOWED, "Nothing can be changed here.")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse  # noqa: N815

    def _find(self, path: str) -> tuple[bytes, str] | None:
        """Return what stands at a path and its type: names are looked up among those known, never in a folder."""
        page, shown = self.server.page, self.server.page.shown
        folder, _, name = path.removeprefix("/").partition("/")
        if path == "/":
            return shown.page, HTML
        if path == "/state.json":
            return _json(page.state), JSON
        if path == "/values.json":
            return shown.values, JSON
        if folder == "parts" and name in shown.parts:
            return shown.parts[name], HTML
        if folder == "runs" and (run := page.run(name.removesuffix(".json"))) is not None:
            return _json(run), JSON
        return None

    def _say(self, status: HTTPStatus, text: str) -> None:
        self._answer(status, f"{text}\n".encode(), "text/plain; charset=utf-8")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", f"{live_policy()}; frame-ancestors 'none'")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent: a page asks every two seconds."""


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
