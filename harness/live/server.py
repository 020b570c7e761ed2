"""The read-only HTTP server of the live page, on the loopback address. Foreign Host headers are refused."""

import errno
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from harness.errors import HarnessError
from harness.live.live_page import LivePage
from harness.report.html.page import live_policy

ADDRESS = "127.0.0.1"
IDLE_SECONDS = 30
HTML, JSON = "text/html; charset=utf-8", "application/json"


class PageServer(ThreadingHTTPServer):
    """HTTP server of one page. Port 0 takes any free port.

    Raises `HarnessError` if it cannot listen on the port.
    """

    daemon_threads = True

    def __init__(self, page: LivePage, port: int) -> None:
        self.page = page
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise HarnessError(f"port {port} is in use: give another with --port, 0 for any free one") from None
            raise HarnessError(f"cannot serve on port {port}: {error.strerror}") from None

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{ADDRESS}:{self.server_port}/"

    @property
    def names(self) -> set[str]:
        """The accepted Host headers. Any other may be DNS rebinding by a foreign page."""
        return {f"{host}:{self.server_port}" for host in (ADDRESS, "localhost")}

    def serve(self) -> None:
        """Serve and update the page until interrupted."""
        stop = threading.Event()
        threading.Thread(target=self.page.follow, args=[stop], name="page", daemon=True).start()
        try:
            self.serve_forever()
        finally:
            stop.set()
            self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Show nothing: clients may leave at any time, and errors in a run's files are shown on the page."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version = "harness"
    sys_version = ""
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.names:
            self._send(HTTPStatus.MISDIRECTED_REQUEST, "This server answers requests to its own address only.")
            return
        found = self._find(urlsplit(self.path).path)
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, "Not found: this server has nothing but the report page.")
        else:
            self._answer(HTTPStatus.OK, *found)

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self) -> None:
        self.close_connection = True
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, "This server is read-only.")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse  # noqa: N815

    def _find(self, path: str) -> tuple[bytes, str] | None:
        """Return the content at a path and its type. Names are looked up among known parts and runs, not on disk."""
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

    def _send(self, status: HTTPStatus, text: str) -> None:
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
        """Log nothing: an open page polls every two seconds."""


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
