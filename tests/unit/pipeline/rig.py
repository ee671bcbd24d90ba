"""A whole Paramedic over fakes, in virtual time: engines that a test serves, hangs and kills with a word."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from paramedic.adapters.storage.journal_memory import MemoryJournal
from paramedic.adapters.storage.samples_memory import MemorySamples
from paramedic.journal.codec import Entry
from paramedic.journal.events import EngineSeen, Event, TargetAdded
from paramedic.journal.fold import fold
from paramedic.journal.views import TargetView, View
from paramedic.knowledge.catalogue import load_stages
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.model.target import EngineProcess, EngineState, Mode, Origin, Role, Target
from paramedic.pipeline.scrape import Knowledge, Watcher
from paramedic.pipeline.world import Recorder, World
from paramedic.ports import Canary, Reply
from paramedic.signals.evaluate import Evaluator
from paramedic.signals.liveness import Limits
from tests.fakes import FakeClock, FakeLog, FakeProbe, FakeProcesses, FakeSupervisor

URL = "http://127.0.0.1:8000"
NAME = "qwen@127.0.0.1:8000"
INTERVAL = 5.0
STEP = 0.1  # seconds of virtual time

_PAGE = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="qwen"}} {running}
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",model_name="qwen"}} {waiting}
# TYPE vllm:engine_sleep_state gauge
vllm:engine_sleep_state{{engine="0",model_name="qwen",sleep_state="awake"}} {awake}
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{{engine="0",model_name="qwen"}} {tokens}
"""

E = TypeVar("E", bound=Event)


@dataclass
class Engine:
    """How the engine at one address behaves. Seconds of the rig's clock."""

    ready_at: float = 0.0
    running: int = 3
    waiting: int = 0
    awake: int = 1
    moving: bool = True  # tokens come, and a canary has its token
    listening: bool = True
    deaf: bool = False  # connections are taken and nothing is answered
    dead: bool = False  # /health answers 503
    answers_canary: str = ""  # instead of a token or a time-out
    broken: Exception | None = None  # what asking it raises: a defect of ours
    _tokens: float = 1000.0
    _looked_at: float = 0.0

    def page(self, at: float) -> bytes:
        if self.moving and self.running:
            self._tokens += 30.0 * (at - self._looked_at)
        self._looked_at = at
        text = _PAGE.format(running=self.running, waiting=self.waiting, awake=self.awake, tokens=self._tokens)
        return text.encode()


class EngineProbe(FakeProbe):
    """Asks the engines of the rig."""

    def __init__(self, clock: FakeClock, engines: dict[str, Engine]) -> None:
        super().__init__()
        self._clock = clock
        self._engines = engines

    async def metrics(self, target: Target) -> Reply:
        self.asked.append(("metrics", target.name))
        engine = self._engines.get(target.url)
        reply = await self._reply(engine)
        if engine is None or not reply.ok:
            return reply
        return Reply(200, body=engine.page(self._clock.monotonic()))

    async def health(self, target: Target) -> Reply:
        self.asked.append(("health", target.name))
        engine = self._engines.get(target.url)
        return Reply(503) if engine and engine.listening and engine.dead else await self._reply(engine)

    async def _reply(self, engine: Engine | None) -> Reply:
        if engine is None or not engine.listening or self._clock.monotonic() < engine.ready_at:
            return Reply(error="refused")
        if engine.broken is not None:
            raise engine.broken
        if engine.deaf:
            await self._clock.sleep(3.0)
            return Reply(error="timeout")
        return Reply(200)

    async def canary(self, target: Target, timeout_s: float) -> Canary:
        self.asked.append(("canary", target.name))
        engine = self._engines.get(target.url)
        if engine is None or not engine.listening:
            return Canary("refused")
        if engine.dead:
            return Canary("error", detail="503")
        if engine.answers_canary:
            return Canary(engine.answers_canary)  # type: ignore[arg-type]
        deadline = self._clock.monotonic() + timeout_s
        while not engine.moving or engine.deaf:
            if self._clock.monotonic() >= deadline:
                return Canary("timeout", timeout_s)
            await self._clock.sleep(0.5)
        return Canary("token", 0.1)


@dataclass
class Rig:
    """The fakes, the world made of them, and what a test does with it."""

    clock: FakeClock = field(default_factory=FakeClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    samples: MemorySamples = field(default_factory=MemorySamples)
    processes: FakeProcesses = field(default_factory=FakeProcesses)
    engines: dict[str, Engine] = field(default_factory=dict)
    logs: dict[str, FakeLog] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.supervisor = FakeSupervisor(self.processes)
        self.probe = EngineProbe(self.clock, self.engines)
        self.evaluator = Evaluator(self.samples, load_vocabulary())
        self.knowledge = Knowledge(load_stages(), load_vocabulary())
        self.world = self.new_world()

    def new_world(self) -> World:
        """A world over the same journal, as a daemon has after its restart."""
        recorder = Recorder(self.clock, self.journal, fold(self.journal.read()))
        return World(self.clock, recorder, self.samples, self.probe, self.processes, self.supervisor, self.log)

    def log(self, path: str) -> FakeLog:
        return self.logs.setdefault(path, FakeLog(path))

    # The scene

    def add(self, name: str = NAME, url: str = URL, *, mode: Mode = Mode.ACT, by_us: bool = True) -> Target:
        origin = Origin.STARTED if by_us else Origin.CONFIGURED
        target = Target(name, url, origin, mode, model="qwen")
        self.world.recorder.record(TargetAdded(target))
        return target

    def start_engine(self, name: str = NAME, url: str = URL, *, by_us: bool = True, **engine: object) -> EngineProcess:
        """A target whose engine has its processes, its log, and answers as `engine` says."""
        target = self.add(name, url, by_us=by_us)
        self.engines[url] = Engine(**engine)  # type: ignore[arg-type]
        process = self.processes.start(url=url)
        path = f"{name}-1.log"
        self.log(path)
        self.supervisor.running[name] = process
        self.world.recorder.record(EngineSeen(target.name, 1, process, by_us, path))
        return process

    def pid_of(self, role: Role, name: str = NAME) -> int:
        server = self.target(name).process
        assert server is not None
        return next(p.pid for p in self.processes.trees[server.pid] or () if p.role is role)

    def watch(self, name: str = NAME, limits: Limits | None = None) -> Watcher:
        """Begin to watch a target."""
        watcher = Watcher(name, self.world, self.knowledge, INTERVAL, limits or Limits())
        self.begin(watcher.run())
        return watcher

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.append(task)
        return task

    async def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP)):
            await self.clock.advance(STEP)

    async def run_until(self, condition: Callable[[], bool], within: float, what: str = "") -> float:
        """Let time pass until it is so; the seconds that it took."""
        began = self.clock.monotonic()
        while not condition():
            assert self.clock.monotonic() - began < within, f"not within {within} s: {what}\n{self.story()}"
            await self.clock.advance(STEP)
        return self.clock.monotonic() - began

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    # What is so

    @property
    def view(self) -> View:
        return self.world.view

    def target(self, name: str = NAME) -> TargetView:
        return self.view.targets[name]

    def state(self, name: str = NAME) -> EngineState:
        return self.target(name).state

    def entries(self, kind: type[Event]) -> list[Entry]:
        return [entry for entry in self.journal.read() if isinstance(entry.event, kind)]

    def events(self, kind: type[E]) -> list[E]:
        return [entry.event for entry in self.journal.read() if isinstance(entry.event, kind)]

    def reasons(self, entry: Entry) -> Iterator[Entry]:
        """The chain of `because`, the entry itself first."""
        everything = list(self.journal.read())
        place: int | None = entry.seq
        while place is not None:
            found = everything[place - 1]
            yield found
            assert found.because is None or found.because < found.seq, "a reason lies before what it led to"
            place = found.because

    def story(self) -> str:
        begin = 1_700_000_000
        return "\n".join(
            f"{e.at / 1e9 - begin:8.2f} {e.seq} <- {e.because} {e.event}"[:240] for e in self.journal.read()
        )
