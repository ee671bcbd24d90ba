"""Somebody is told: a signed webhook, from the first alert to the end, through a receiver that is down at first."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.integration.practice_engine import wait_until
from tests.integration.watching import ask, watching

SECRET = "a-secret-of-the-receiver"


@contextmanager
def receiver(refusals: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A receiver that answers 503 so many times, then takes what is signed rightly; its URL and what it took."""
    taken: list[dict[str, Any]] = []
    left = [refusals]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signed = self.headers["X-Paramedic-Timestamp"].encode() + b"." + body
            right = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(right, self.headers["X-Paramedic-Signature"]):
                self._answer(401)
            elif left[0] > 0:
                left[0] -= 1
                self._answer(503)
            else:
                taken.append(json.loads(body))
                self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """The test's output is the test's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_incident_is_told_once_an_occasion(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    with receiver(refusals=1) as (url, taken), watching(tmp_path) as start:
        (tmp_path / "paramedic.yaml").write_text(
            "server: {port: 0}\ninterval: 1s\nlang: zh\n"
            f"notifiers: [{{name: oncall, type: webhook, url: {url}, secret: {{file: secret}}}}]\n"
        )
        watch = start()
        watch.wait("StateChanged", run=1, after="serving")
        ask(watch.data, "practice", "break", "engine-core-died")
        watch.wait("IncidentResolved", 60)
        wait_until(lambda: {"opened", "diagnosed", "resolved"} <= {m["occasion"] for m in taken}, "all is told")

        assert sorted(m["occasion"] for m in taken) == ["diagnosed", "opened", "resolved"]
        assert len({m["delivery"] for m in taken}) == 3
        diagnosed = next(m for m in taken if m["occasion"] == "diagnosed")
        assert diagnosed["diagnosis"]["findings"][0]["cause"] == "engine-core-died"
        assert "引擎进程死亡" in diagnosed["body"]
        wait_until(lambda: len(watch.seen("DeliveryFinished", outcome="done")) == 3, "each has its record")
        assert watch.seen("DeliveryTried")[0]["detail"].startswith("HTTP 503"), watch.story()
        assert SECRET not in watch.out.read_text("utf-8") + watch.err.read_text("utf-8")
