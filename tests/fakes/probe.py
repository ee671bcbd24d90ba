"""Engines that answer as a test wants."""

from paramedic.model.target import Target
from paramedic.ports import Canary, Reply

REFUSED = Reply(error="refused")


class FakeProbe:
    """Answers by the target's name, else the default. `asked` lists (question, target or url) in order."""

    def __init__(self) -> None:
        self.metrics_reply = REFUSED
        self.health_reply = REFUSED
        self.canary_answer = Canary("refused")
        self.metrics_of: dict[str, Reply] = {}
        self.health_of: dict[str, Reply] = {}
        self.canary_of: dict[str, Canary] = {}
        self.engines: dict[str, tuple[str, str]] = {}  # url -> (version, served model name)
        self.asked: list[tuple[str, str]] = []
        self.closed = False

    async def metrics(self, target: Target) -> Reply:
        self.asked.append(("metrics", target.name))
        return self.metrics_of.get(target.name, self.metrics_reply)

    async def health(self, target: Target) -> Reply:
        self.asked.append(("health", target.name))
        return self.health_of.get(target.name, self.health_reply)

    async def canary(self, target: Target, timeout_s: float) -> Canary:
        self.asked.append(("canary", target.name))
        return self.canary_of.get(target.name, self.canary_answer)

    async def identify(self, url: str) -> tuple[str, str] | None:
        self.asked.append(("identify", url))
        return self.engines.get(url.rstrip("/"))

    async def close(self) -> None:
        self.closed = True
