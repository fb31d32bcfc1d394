"""A small OpenADR server (VTN) on loopback, from the published description of OpenADR 3.0.1.

It keeps programs, events and reports in memory and serves: POST /auth/token, GET /programs, GET /events (programID,
skip, limit), POST and GET /reports. Required properties, the bearer token, page size and problem bodies are as
described there; everything else of the standard is left out.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT, SECRET, TOKEN = "ven-1", "a secret of the test", "token-1"
MOST = 50
REQUIRED = {
    "EVENT": ("programID", "intervals"),
    "REPORT": ("programID", "eventID", "clientName", "resources"),
}
STAMP = "2026-01-31T10:00:00Z"

Body = dict[str, Any]


@dataclass
class Vtn:
    """What the server holds and what it was asked. `broken` answers every request with that status."""

    url: str = ""
    events: list[Body] = field(default_factory=list[Body])
    reports: list[Body] = field(default_factory=list[Body])
    asked: list[str] = field(default_factory=list[str])
    tokens: int = 0
    broken: int = 0

    def add_event(self, **body: Any) -> Body:
        """Puts an event up, with the properties that a server gives it."""
        missing = [name for name in REQUIRED["EVENT"] if name not in body]
        assert not missing, missing
        number = len(self.events)
        event = {"id": f"event-{number}", "objectType": "EVENT", "createdDateTime": STAMP, **body}
        self.events.append({"modificationDateTime": STAMP, **event})
        return self.events[-1]


class _Handler(BaseHTTPRequestHandler):
    vtn: Vtn

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are silent."""

    def do_GET(self) -> None:
        path, query = self._asked()
        if self._refused():
            return
        if path == "/events":
            program = query.get("programID", [""])[0]
            found = [each for each in self.vtn.events if program in ("", each["programID"])]
            self._page(found, query)
        elif path == "/reports":
            self._page(self.vtn.reports, query)
        elif path == "/programs":
            self._page([{"id": "program-1", "objectType": "PROGRAM", "programName": "flex"}], query)
        else:
            self._problem(404, "Not Found", path)

    def do_POST(self) -> None:
        path, _ = self._asked()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if path == "/auth/token":
            self._token(parse_qs(body))
        elif not self._refused() and path == "/reports":
            self._report(json.loads(body))

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        self.vtn.asked.append(f"{self.command} {self.path}")
        return parts.path, parse_qs(parts.query)

    def _refused(self) -> bool:
        if self.vtn.broken:
            self._problem(self.vtn.broken, "Broken", "as the test wished")
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._problem(403, "Forbidden", "no such token")
        else:
            return False
        return True

    def _token(self, form: dict[str, list[str]]) -> None:
        given = [form.get(name, [""])[0] for name in ("grant_type", "client_id", "client_secret")]
        if given != ["client_credentials", CLIENT, SECRET]:
            self._problem(403, "Forbidden", "unknown client")
            return
        self.vtn.tokens += 1
        self._send(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

    def _report(self, report: Body) -> None:
        missing = [name for name in REQUIRED["REPORT"] if not report.get(name)]
        if missing or report["eventID"] not in {each["id"] for each in self.vtn.events}:
            self._problem(400, "Bad Request", f"missing or unknown: {missing or 'eventID'}")
            return
        stored = {**report, "id": f"report-{len(self.vtn.reports)}", "createdDateTime": STAMP}
        self.vtn.reports.append(stored)
        self._send(201, stored)

    def _page(self, found: list[Body], query: dict[str, list[str]]) -> None:
        skip, limit = (int(query.get(name, [default])[0]) for name, default in (("skip", "0"), ("limit", str(MOST))))
        if limit > MOST:
            self._problem(400, "Bad Request", f"limit is at most {MOST}")
        else:
            self._send(200, found[skip : skip + limit])

    def _problem(self, status: int, title: str, detail: str) -> None:
        self._send(status, {"title": title, "status": status, "detail": detail})

    def _send(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def vtn() -> Iterator[Vtn]:
    """A server on a free port of loopback for as long as the block lasts."""
    held = Vtn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"vtn": held}))
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
