"""What may answer where an engine is expected: real servers on ports of this machine, each with its own way."""

import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

PAGE = "<!doctype html><html><title>Sign in</title></html>"
FIGURES = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 2
vllm:num_requests_waiting{engine="0",model_name="m"} 1
vllm:generation_tokens_total{engine="0",model_name="m"} 100
"""
RUBBISH = """\
vllm:num_requests_running{engine="0",model_name="m"} 7
vllm:kv_cache_usage_perc{engine="0",model_name="m"} NaN
vllm:generation_tokens_total{engine="0",model_name="other"} NaN
rubbish
"{
"""
NODE_EXPORTER = "# TYPE node_load1 gauge\nnode_load1 0.5\n"

_TOKENS = itertools.count(100, 10)
Answer = Callable[[socket.socket, str], None]  # to a connection and the path that it asks for


def http(status: str, body: str = "", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def always(answer: bytes) -> Answer:
    return lambda connection, _: connection.sendall(answer)


def engine(metrics: Answer) -> Answer:
    """Well at /health, as an engine is; at /metrics as told."""

    def answer(connection: socket.socket, path: str) -> None:
        if path == "/metrics":
            metrics(connection, path)
        else:
            connection.sendall(http("200 OK" if path == "/health" else "404 Not Found"))

    return answer


def endless(connection: socket.socket, _: str) -> None:
    """Metrics without an end; it stops when nobody reads any more, or after a gigabyte."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + FIGURES.encode())
    block = b"".join(b'vllm:more{number="%d"} 1\n' % number for number in range(40_000))
    for _ in range(1000):
        connection.sendall(block)


def half(connection: socket.socket, _: str) -> None:
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{FIGURES}".encode())


def damaged(connection: socket.socket, _: str) -> None:
    """Tokens move, among lines that cannot be read."""
    moving = FIGURES.replace(" 100", f" {next(_TOKENS)}")
    connection.sendall(http("200 OK", moving + RUBBISH))


def never(connection: socket.socket, _: str) -> None:
    """The question is taken, and that is all."""
    with suppress(OSError):
        while connection.recv(65536):
            pass


HTTP: dict[str, Answer] = {
    "another-site": always(http("404 Not Found", PAGE, "Server: nginx")),
    "login-redirect": always(http("302 Found", "", "Location: https://sso.example/login?next=/health")),
    "login-page": always(http("200 OK", PAGE, "Content-Type: text/html")),
    "gateway": always(http("502 Bad Gateway", "upstream is gone")),
    "all-behind-a-key": always(http("401 Unauthorized", '{"error": "Unauthorized"}')),
    "broken-page": always(b"HTTP/1.1 2OO okay\r\n\r\n"),
    "metrics-behind-a-key": engine(always(http("401 Unauthorized"))),
    "metrics-absent": engine(always(http("404 Not Found", '{"detail": "Not Found"}'))),
    "metrics-error": engine(always(http("500 Internal Server Error", "oh"))),
    "metrics-empty": engine(always(http("200 OK"))),
    "metrics-of-another": engine(always(http("200 OK", NODE_EXPORTER))),
    "metrics-page": engine(always(http("200 OK", PAGE))),
    "metrics-damaged": engine(damaged),
    "metrics-endless": engine(endless),
    "metrics-half": engine(half),
    "metrics-slow": engine(never),
    "hangs": never,
}


@contextmanager
def strangers() -> Iterator[dict[str, str]]:
    """All of them: name -> URL."""
    with _Doors() as doors:
        urls = {name: f"http://{doors.open(_asked(answer))}" for name, answer in HTTP.items()}
        urls["https-asked-of-http"] = urls["another-site"].replace("http", "https")
        urls["http-asked-of-https"] = f"http://{doors.open(_tls)}"
        urls["ssh"] = (
            f"http://{doors.open(lambda connection: connection.sendall(b'SSH-2.0-OpenSSH_9.6' + bytes([13, 10])))}"
        )
        urls["nobody"] = f"http://{doors.open(None)}"
        urls["no-such-host"] = "http://no-such-host.invalid:8000"
        yield urls


def _asked(answer: Answer) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        question = connection.recv(65536).decode(errors="replace").split(" ")
        answer(connection, question[1] if len(question) > 1 else "")

    return serve


def _tls(connection: socket.socket) -> None:
    """A TLS server: what does not begin with a TLS greeting is not answered."""
    with suppress(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_socket(connection, server_side=True).close()


def _ssh(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


class _Doors:
    """Listening sockets, each with its thread; all closed at the end."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []

    def __enter__(self) -> "_Doors":
        return self

    def __exit__(self, *_: object) -> None:
        for door in self._open:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            door.close()

    def open(self, serve: Callable[[socket.socket], None] | None) -> str:
        """host:port of a new one; with None the port is taken, and nobody listens."""
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        self._open.append(door)
        if serve is not None:
            door.listen(32)
            threading.Thread(target=self._accept, args=(door, serve), daemon=True).start()
        return f"127.0.0.1:{door.getsockname()[1]}"

    def _accept(self, door: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            connection.settimeout(30)
            threading.Thread(target=self._serve, args=(connection, serve), daemon=True).start()

    def _serve(self, connection: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with suppress(OSError), connection:
            serve(connection)
