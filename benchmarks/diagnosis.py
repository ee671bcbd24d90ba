"""How fast `paramedic diagnose` reads: a gigabyte beside ripgrep on the same anchors, five megabytes, a live log."""

import itertools
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from paramedic.adapters.logs.file_log import FileLog
from paramedic.app.log_files import read_logs
from paramedic.diagnosis.literals import literals_of
from paramedic.diagnosis.reading import Reader
from paramedic.diagnosis.stage import StageReader
from paramedic.knowledge.catalogue import load_catalogue, load_stages

HERE = Path(__file__).parents[1]
CACHE = HERE / ".cache" / "bench-diagnosis"
RECORDED = HERE / "tests" / "recordings" / "logs" / "vllm-0.26-h100" / "f20-kill-core.log"
HARMLESS = HERE / "tests" / "knowledge" / "healthy"
PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))
MB = 1024 * 1024
LARGE, SMALL = 1024 * MB, 5 * MB
FAULT_AT = 0.7  # of the log
CAUSE = "engine-core-died"
EVERY = 10_000  # lines between two harmless ones that look like a fault
SECONDS = 86_400  # that the large log covers; the engine writes its figures every ten
TIMES = 5
RATIO, MEMORY, SOON, SHARE = 1.5, 300, 0.7, 0.01  # promised: times ripgrep, MB, seconds, of a core
LINES_A_SECOND, TAILED = 2_000, 30  # of the live log, and for so many seconds

ACCESS = '(APIServer pid=3028) INFO:     10.0.{}.{}:{} - "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
FIGURES = (
    "(APIServer pid=3028) INFO 11-24 {:02}:{:02}:{:02} [loggers.py:271] Engine 000: Avg prompt throughput: {}.4 "
    "tokens/s, Avg generation throughput: {}.1 tokens/s, Running: {} reqs, Waiting: 0 reqs, GPU KV cache usage: {}.2%, "
    "Prefix cache hit rate: {}.0%\n"
)


def main() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(CACHE).free < 3 * LARGE:
        sys.exit(f"a gigabyte is written to {CACHE}, and there is no room for it")
    large, small, literals = CACHE / "large.log", CACHE / "small.log", CACHE / "LITERALS"
    anchors = Reader(load_catalogue()).anchors.literals
    literals.write_bytes(b"\n".join(anchors) + b"\n")
    try:
        lines = write_log(large, LARGE, anchors)
        write_log(small, SMALL, anchors)
        hits = sum(1 for _ in Reader(load_catalogue()).anchors.spots(read_logs([large])[0].lines, lambda _: False))
        print(f"{LARGE // MB} MB, {lines:,} lines, {hits:,} of them with one of {len(anchors)} anchors\n")
        missed = [compared(large, literals), remembered(large), soon(small), live(CACHE / "live.log")]
    finally:
        shutil.rmtree(CACHE)
    sys.exit(any(missed))


def compared(log: Path, literals: Path) -> bool:
    """Ours and ripgrep's, one after the other, several times."""
    rg = shutil.which("rg")
    ours, theirs = [], []
    for _ in range(TIMES):
        if rg:
            theirs.append(taken([rg, "-c", "-F", "-f", str(literals), str(log)]))
        ours.append(taken([PARAMEDIC, "diagnose", str(log)], CAUSE))
    row("a log of 1 GiB", statistics.median(ours), "s")
    if not rg:
        print("  no ripgrep here to compare with (tools/get_ripgrep.sh brings it where apt is)")
        return False
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    row("ripgrep -c -F -f LITERALS", statistics.median(theirs), "s")
    return row("ours / ripgrep's, median of pairs", ratio, "", RATIO)


def remembered(log: Path) -> bool:
    """The most private memory that a diagnosis has."""
    with subprocess.Popen([PARAMEDIC, "diagnose", str(log)], stdout=subprocess.DEVNULL) as child:
        most = 0
        while child.poll() is None:
            most = max(most, private_kb(child.pid))
            time.sleep(0.02)
    return row("private memory (RssAnon)", most / 1024, "MB", MEMORY)


def private_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")), 0)


def soon(log: Path) -> bool:
    seconds = statistics.median(taken([PARAMEDIC, "diagnose", str(log)], CAUSE) for _ in range(TIMES))
    return row("a log of 5 MB, from process start", seconds, "s", SOON)


def live(path: Path) -> bool:
    """What following a log costs: processor time a second, at so many lines a second."""
    stages = StageReader(load_stages())
    log, spent = FileLog(path), 0.0
    with path.open("w", encoding="ascii") as file:
        log.new_lines()
        for second in range(TAILED):
            file.writelines(ACCESS.format(second, n % 250, 40_000 + n) for n in range(LINES_A_SECOND))
            file.flush()
            began = time.process_time()
            stages.opened(log.new_lines().lines)
            spent += time.process_time() - began
    log.close()
    return row(f"following {LINES_A_SECOND:,} lines/s", spent / TAILED * 100, "% of a core", SHARE * 100)


def write_log(path: Path, size: int, anchors: tuple[bytes, ...]) -> int:
    """A healthy server's day, in which it dies once and is started again; gives its number of lines."""
    recorded = RECORDED.read_bytes().splitlines(keepends=True)
    ready = next(index for index, line in enumerate(recorded) if b"Application startup complete" in line) + 1
    dies = next(index for index, line in enumerate(recorded) if b"engine core exited unexpectedly" in line)
    lookalikes = itertools.cycle(harmless(anchors))
    written, count, fault = 0, 0, False
    quiet = quiet_lines(max(1, size * 10 // SECONDS // len(ACCESS)))
    with path.open("wb", buffering=MB) as file:
        file.writelines(recorded[:ready])
        for line in quiet:
            count += 1
            written += file.write(line)
            if count % EVERY == 0:
                written += file.write(next(lookalikes))
            if not fault and written > size * FAULT_AT:
                fault = True
                file.writelines([*recorded[dies:], *recorded[:ready]])
            if written > size:
                break
    return count


def quiet_lines(requests: int) -> Iterator[bytes]:
    """What a server that works writes; `requests` are answered in ten seconds."""
    for second in itertools.count(0, 10):
        for n in range(requests):
            yield ACCESS.format(second // 10 % 250, n % 250, 30_000 + (second + n * 7) % 30_000).encode()
        hour, minute = second // 3600 % 24, second // 60 % 60
        load = 20 + second // 10 % 13
        yield FIGURES.format(hour, minute, second % 60, 700 + load, 60 * load, load, load + 3, 40 + load % 3).encode()


def harmless(anchors: tuple[bytes, ...]) -> list[bytes]:
    """Every line of the healthy logs that holds an anchor, but those that tell a start, a stop or a stage."""
    scanner, stages = literals_of(anchors), StageReader(load_stages())
    found = []
    for path in sorted(HARMLESS.glob("*.log")):
        for line in path.read_bytes().splitlines():
            opens = stages.opened([line.decode()]) or b"API server version" in line or b"args:" in line
            if scanner.find(line) and not opens and b"Traceback" not in line:
                found.append(line + b"\n")
    return found


def taken(command: list[str], cause: str = "") -> float:
    """Seconds; where a cause is given it must be in the answer."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if cause not in done.stdout:
        sys.exit(f"{' '.join(command)} did not find {cause} (exit code {done.returncode}): {done.stdout}{done.stderr}")
    return seconds


def row(what: str, value: float, unit: str, promised: float | None = None) -> bool:
    """A line of the table; whether a promise was missed."""
    missed = promised is not None and value > promised
    kept = "" if promised is None else f"(promised {promised:g})" + (" MISSED" if missed else "")
    print(f"{what:<36} {value:8.2f} {unit:<12} {kept}", flush=True)
    return missed


if __name__ == "__main__":
    main()
