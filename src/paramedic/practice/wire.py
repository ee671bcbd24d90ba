"""How the processes of a practice engine talk: one JSON document a line over a socket pair."""

import json
import socket
from typing import Any


class Wire:
    """The blocking end of a connection, for the engine core and the worker."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.buffer = b""
        self.open = True

    def fileno(self) -> int:
        return self.connection.fileno()

    def send(self, message: object) -> None:
        """Send; what nobody is there to read is dropped, as the real engine drops it."""
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.open = False

    def receive(self) -> list[Any]:
        """Every whole message that is there, waiting for the first bytes; none and `open` false at the end."""
        try:
            data = self.connection.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self.open = False
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]
