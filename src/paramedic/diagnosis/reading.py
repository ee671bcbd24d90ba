"""A log read once: its starts of the server, and in each the messages, stages and numbers that matter."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from paramedic.diagnosis.arguments import logged_arguments, resolved_arguments
from paramedic.diagnosis.conditions import Value
from paramedic.diagnosis.lines import lines_of
from paramedic.diagnosis.pattern import Catalogue
from paramedic.diagnosis.record import Record, read_record
from paramedic.diagnosis.scan import Anchors
from paramedic.diagnosis.scene import Log
from paramedic.diagnosis.stage import SERVING, STOPPING
from paramedic.diagnosis.stats_line import StatsLine, read_stats
from paramedic.diagnosis.template import Template, compile_template

KEPT = 200  # hits of one message that a run keeps; more of the same say nothing new
CLOCK_NEAR = 60  # lines above an unstamped one that are asked for the time
FRAMES_NEAR = 12  # lines between an exception and the last frame above it, at most
OTHERS_NEAR = 36  # the same, where other processes write in between
LONGEST = 8_000  # characters of a line that are looked at
LOOK_BACK = 250  # lines of a traceback above its last line
FRAME = re.compile(r'File ".*", line \d+, in (\w+)|^\S*\.py:\d+ in (\w+)')  # Python's, and Rich's
MAY_BE_FRAME = re.compile(r'File \\?"|\.py:\d+ in |Traceback')
RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|NotFound|Failure)\b(?::|$)")
ARGPARSE = re.compile(r"^[\w./ -]+: error: ")

# What pytest prints of somebody's tests: code under test, assertions, names of tests, which may quote any message.
TEST_RUN = re.compile(
    r"^(?:E {3}|>  |\s*@pytest\.|_{3,} .+ _{3,}$|(?:PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b.*\.py::"
    r"|[A-Z]+ +[\w.]+:\w+\.py:\d+ )"
)

STATS = compile_template("{g:word}eneration throughput: {value:num} tokens/s")
CONFIG = compile_template("Initializing ... LLM engine ... with config: ...")
Entry = tuple[Template, str]
Found = tuple[str, Template, Mapping[str, str]]  # what a matching template is for, it, and what its holes caught
TRACEBACK = compile_template("Traceback (most recent call last)")


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found: where, what its holes caught, and in which stage it stood."""

    index: int
    record: Record
    stage: str | None
    fields: Mapping[str, str]


@dataclass(slots=True)
class Run:
    """One start of the server within one log, up to the next."""

    log: Log
    first: int
    last: int = 0
    arguments: dict[str, Value] = field(default_factory=dict)
    hits: dict[str, list[Hit]] = field(default_factory=dict)
    stages: list[tuple[int, str]] = field(default_factory=list)
    stats: list[StatsLine] = field(default_factory=list)
    clock: list[tuple[int, float]] = field(default_factory=list)
    fallout: list[Hit] = field(default_factory=list)
    tracebacks: list[int] = field(default_factory=list)

    def stage_at(self, index: int) -> str | None:
        """The stage that the engine was in when it wrote this line, by the order of lines."""
        position = bisect_right(self.stages, (index, "~"))
        return self.stages[position - 1][1] if position else None

    def seconds_at(self, index: int) -> float | None:
        """The engine's own clock at this line: the last time that it wrote before or on it."""
        for above in range(index, max(self.first, index - CLOCK_NEAR) - 1, -1):
            if (seconds := read_record(self.log.lines[above]).seconds) is not None:
                return seconds
        position = bisect_right(self.clock, (index, float("inf")))
        return self.clock[position - 1][1] if position else None

    @property
    def ready_at(self) -> int:
        """The line on which it began to serve; -1 where it never did."""
        return next((index for index, stage in self.stages if stage == SERVING), -1)

    @property
    def was_ready(self) -> bool:
        return self.ready_at >= 0

    @property
    def was_stopped(self) -> bool:
        return any(stage == STOPPING for _, stage in self.stages)


class Reader:
    """Reads logs against one catalogue; made once, used for every log."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.stages = catalogue.stages
        entries: list[tuple[Template, str]] = [(template, "message") for template in catalogue.templates()]
        entries += [(mark, f"stage:{stage.id}") for stage in self.stages.stages for mark in stage.marks]
        entries += [(template, "start") for template in self.stages.run_start]
        entries += [(template, "fallout") for template in self.stages.fallout]
        entries += [(STATS, "stats"), (CONFIG, "config"), (TRACEBACK, "traceback")]
        self.stats_only = [(STATS, "stats")]
        self.anchors: Anchors[Entry] = Anchors((entry[0], entry) for entry in entries)

    def read(self, log: Log) -> list[Run]:
        """The runs of a log, oldest first; at least one."""
        lines = lines_of(log.lines)
        runs = [Run(log, 0)]
        for spot in self.anchors.spots(lines, lambda entries: _is_full(runs[-1], entries)):
            index, record = spot.index, read_record(spot.raw[:LONGEST])
            if spot.items == self.stats_only:
                self._note_stats(runs[-1], index, record)
                continue
            if _is_quotation(record.text) or _is_source(log, index, record.text):
                continue
            matched = [
                (what, template, fields)
                for template, what in spot.items
                if (fields := template.match(record.text)) is not None
            ]
            if any(what == "start" for what, _, _ in matched) and _has_lived(runs[-1]):
                runs[-1].last = index - 1
                runs.append(Run(log, index))
            self._note(runs[-1], index, record, matched)
        runs[-1].last = len(lines) - 1
        return runs

    def _note(self, run: Run, index: int, record: Record, matched: Sequence[Found]) -> None:
        """What a line opens comes first, so that its messages stand in the right stage."""
        if record.seconds is not None:
            run.clock.append((index, record.seconds))
        for what, _, _ in matched:
            self._open(run, index, record, what)
        for what, template, fields in matched:
            if what == "message" and len(hits := run.hits.setdefault(template.text, [])) < KEPT:
                hits.append(Hit(index, record, self._stage(run, index), fields))
            elif what == "fallout" and run.stage_at(index) != STOPPING and len(run.fallout) < KEPT:
                run.fallout.append(Hit(index, record, run.stage_at(index), fields))

    def _open(self, run: Run, index: int, record: Record, what: str) -> None:
        if what.startswith("stage:"):
            self._enter(run, index, what.removeprefix("stage:"))
        elif what == "start":
            run.arguments |= logged_arguments(record.text)
        elif what == "config":
            run.arguments = resolved_arguments(record.text) | run.arguments
        elif what == "traceback":
            run.tracebacks.append(index)
        elif what == "stats":
            self._note_stats(run, index, record)

    def _note_stats(self, run: Run, index: int, record: Record) -> None:
        if line := read_stats(index, record.text, record.seconds):
            run.stats.append(line)
            if run.stage_at(index) != SERVING:
                self._enter(run, index, SERVING)

    def _enter(self, run: Run, index: int, stage: str) -> None:
        """A stop counts only while nothing had died: an engine that is ending itself also shuts down."""
        now = run.stage_at(index)
        saw_start = any(known != SERVING for _, known in run.stages)
        if now == STOPPING or (stage == STOPPING and run.fallout and saw_start):
            return
        if stage == STOPPING and run.fallout:  # the log begins in the midst of a stop, with its noise
            for template in self.stages.fallout:
                run.hits.pop(template.text, None)
            run.fallout.clear()
            run.tracebacks.clear()
        order = [known.id for known in self.stages.stages]
        if now is None or order.index(stage) > order.index(now):
            run.stages.append((index, stage))

    def _stage(self, run: Run, index: int) -> str | None:
        """A traceback names its stage better than the order of lines does; a stop ends all stages."""
        now = run.stage_at(index)
        if now == STOPPING:
            return now
        return self.stages.of_frames(frames_above(run.log, index)) or now


def frames_above(log: Log, index: int) -> frozenset[str]:
    """The functions in the traceback that ends in this line, empty where there is none.

    Other processes write in between: only lines of the same speaker count.
    """
    last = read_record(log.lines[index][:LONGEST])
    found = set(_frames(last.text))
    apart = 0  # lines of this speaker above the one that ends the traceback
    for position in range(index - 1, max(-1, index - LOOK_BACK), -1):
        if not found and (apart > FRAMES_NEAR or index - position > OTHERS_NEAR):
            break
        raw = log.lines[position][:LONGEST]
        if found and not MAY_BE_FRAME.search(raw):
            continue
        record = read_record(raw)
        if record.speaker != last.speaker:
            continue
        apart += 1
        if "Traceback (most recent call last)" in record.text:
            return frozenset(found)
        found.update(_frames(record.text))
    return frozenset(found)


def _frames(text: str) -> list[str]:
    return [plain or boxed for plain, boxed in FRAME.findall(text)]


def errors(run: Run) -> Iterator[tuple[int, Record]]:
    """The lines on which an exception or a usage error of this run is named, outside a stop."""
    starts = [index for index in run.tracebacks if run.stage_at(index) != STOPPING]
    for start in starts[:KEPT]:
        opening = read_record(run.log.lines[start])
        for index in range(start, min(run.last + 1, start + LOOK_BACK)):
            record = read_record(run.log.lines[index])
            raised = next(filter(RAISED.match, record.text.split("\n")), None)
            if raised is not None and record.speaker == opening.speaker:
                yield index, replace(record, text=raised)
                break


def _is_full(run: Run, entries: Sequence[Entry]) -> bool:
    """Whether lines with these messages say nothing new of this run: so many of them were seen."""
    return all(what == "message" and len(run.hits.get(template.text, ())) >= KEPT for template, what in entries)


def _has_lived(run: Run) -> bool:
    """Whether enough of a start was seen that the next opening line begins another one."""
    return bool(run.stages and any(stage != "configuring" for _, stage in run.stages)) or bool(run.tracebacks)


def _is_quotation(text: str) -> bool:
    """Frames of a traceback, and requests with their prompts, are not messages."""
    is_quoted = text.startswith(('  File "', "Received request ")) or "prompt_token_ids=[" in text[:300]
    return is_quoted or TEST_RUN.match(text) is not None


def _is_source(log: Log, index: int, text: str) -> bool:
    """Whether it is a line of code in a traceback: what it stands under, deeper than it, is the frame.

    Other text is indented too: what kubectl describes, what pip reports, an exception's second line.
    """
    if not text.startswith("    "):
        return False
    depth = _depth(text)
    for above in range(index - 1, max(-1, index - FRAMES_NEAR), -1):
        line = read_record(log.lines[above][:LONGEST]).text
        if line.strip() and _depth(line) < depth:
            return line.lstrip().startswith('File "')
    return False


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())
