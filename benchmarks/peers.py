"""What the peers say of the same recordings, beside what we say (--write: into docs/benchmarks.md)."""

import gzip
import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from paramedic.app.recordings import read_recording
from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".cache" / "peers"
KNOWLEDGE, RECORDINGS = ROOT / "tests" / "knowledge", ROOT / "tests" / "recordings"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- peers: benchmarks/peers.py --write -->", "<!-- /peers -->"
NONE = "none"
# Of these recordings the samples show it.
SAMPLES = {"scrapes-h100-healthy": NONE, "scrapes-h100-preemptions": "kv-cache-preemption"}
# Runs in the peer's own environment: the function that its command calls, with each log under a name that it reads.
INFERGUARD = """
import json, sys
from inferguard.classify_failures import classify
for folder in sys.stdin.read().split("\\n"):
    found = [failure.failure_class for failure in classify(folder).failures]
    print(json.dumps([name for name in found if name != "not_enough_evidence"]))
"""


@dataclass(frozen=True)
class Case:
    """A recording, and the causes that are right first; none where nothing is wrong."""

    path: Path
    right: frozenset[str]


Answers = Mapping[Path, Sequence[str]]
Right = Callable[[str, frozenset[str]], bool]


def main() -> None:
    if not (PEERS / "inferguard").is_dir() or not (PEERS / "vllm-doctor").is_dir():
        print("the peers are not there: tools/get_peers.sh brings them")
        return
    mapping = yaml.safe_load((Path(__file__).with_suffix(".yaml")).read_text("utf-8"))
    lines = list(table(mapping))
    print("\n".join(lines))
    if "--write" in sys.argv[1:]:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text("\n".join([before + BEGIN, "", *lines, "", END]) + after, "utf-8")


def table(mapping: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[str]:
    yield "| recordings | | right | wrong | says nothing | false alarms |"
    yield "|---|---|---|---|---|---|"
    for title, cases in logs().items():
        yield row(title, "Paramedic", score(cases, ours(cases), is_it))
        yield row("", "InferGuard 0.7.4", score(cases, inferguard(cases), by(mapping["inferguard"])))
        yield row("", "vllm-doctor 0.6.0", score(cases, {}, is_it), "reads no logs")
    cases = [Case(RECORDINGS / f"{name}.txt.gz", causes(cause)) for name, cause in SAMPLES.items()]
    yield row("metrics of an H100", "Paramedic", score(cases, ours_of_samples(cases), is_it))
    yield row("", "InferGuard 0.7.4", score(cases, {}, is_it), "its classifier reads no metrics")
    yield row("", "vllm-doctor 0.6.0", score(cases, vllm_doctor(cases), by(mapping["vllm-doctor"])))


def row(title: str, who: str, count: Counter[str], remark: str = "") -> str:
    name = f"{who} ({remark})" if remark else who
    faults, healthy = (sum(count[key] for key in keys) for keys in (("right", "wrong", "nothing"), ("alarm", "quiet")))
    found = (f"{count['right']} of {faults}", count["wrong"], count["nothing"]) if faults else ("-", "-", "-")
    shown = (*found, f"{count['alarm']} of {healthy}" if healthy else "-")
    return f"| {title} | {name} | " + " | ".join(map(str, shown)) + " |"


def score(cases: Sequence[Case], answers: Answers, means: Right) -> Counter[str]:
    """The first answer counts. An answer that may mean several causes is right for each of them."""
    count: Counter[str] = Counter()
    for case in cases:
        first = next(iter(answers.get(case.path, ())), "")
        if not case.right:
            count["alarm" if first else "quiet"] += 1
        elif not first:
            count["nothing"] += 1
        else:
            count["right" if means(first, case.right) else "wrong"] += 1
    return count


def is_it(answer: str, right: frozenset[str]) -> bool:
    return answer in right


def by(mapping: Mapping[str, Sequence[str]]) -> Right:
    families = {fault.id: fault.family for fault in load_catalogue().faults}

    def means(answer: str, right: frozenset[str]) -> bool:
        names = [name for cause in right for name in (cause, f"family:{families.get(cause, '')}")]
        return any(fnmatchcase(name, pattern) for name in names for pattern in mapping[answer])

    return means


# The recordings


def logs() -> dict[str, list[Case]]:
    expected = yaml.safe_load((RECORDINGS / "expected.yaml").read_text("utf-8"))
    found = {"real runs": [Case(RECORDINGS / "logs" / f"{name}.log", right(each)) for name, each in expected.items()]}
    for index in sorted(KNOWLEDGE.glob("held_out/*/index.yaml")):
        rows = yaml.safe_load(index.read_text("utf-8"))
        found[f"held out: {index.parent.name}"] = [
            Case(index.parent / name, right(each)) for name, each in rows.items()
        ]
    quiet = [*sorted(KNOWLEDGE.glob("healthy/*.log")), *sorted(KNOWLEDGE.glob("benign/*.log"))]
    return found | {"nothing is wrong": [Case(path, frozenset()) for path in quiet]}


def right(each: Mapping[str, Any]) -> frozenset[str]:
    first = causes(each["cause"])
    return first | frozenset(each.get("also") or ()) if first else first


def causes(cause: str | None) -> frozenset[str]:
    return frozenset() if cause in {NONE, None} else frozenset({str(cause)})


# Whom we ask


def ours(cases: Sequence[Case]) -> Answers:
    """Advice names what costs something and breaks nothing: an answer to a fault, no alarm where nothing is wrong."""
    catalogue = load_catalogue()
    found = {}
    for case in cases:
        lines = case.path.read_text("utf-8", errors="replace").split("\n")
        answer = diagnose(Scene((Log("server.log", lines),)), catalogue)
        told = (*answer.findings, *answer.advice) if case.right else answer.findings
        found[case.path] = [finding.cause for finding in told]
    return found


def ours_of_samples(cases: Sequence[Case]) -> Answers:
    found = {}
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "scrapes.txt.gz").write_bytes(case.path.read_bytes())
            answer = diagnose(read_recording(Path(folder)), load_catalogue())
        found[case.path] = [finding.cause for finding in answer.findings]
    return found


def inferguard(cases: Sequence[Case]) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        jobs = [Path(folder) / str(number) for number in range(len(cases))]
        for job, case in zip(jobs, cases, strict=True):
            (job / "launch").mkdir(parents=True)
            (job / "launch" / "stdout.log").write_bytes(case.path.read_bytes())
        command = [str(PEERS / "inferguard" / "bin" / "python"), "-c", INFERGUARD]
        said = subprocess.run(command, input="\n".join(map(str, jobs)), capture_output=True, text=True, check=True)
    return {case.path: json.loads(line) for case, line in zip(cases, said.stdout.splitlines(), strict=True)}


def vllm_doctor(cases: Sequence[Case]) -> Answers:
    """It looks at one scrape; we give it the last one that the server answered."""
    found = {}
    for case in cases:
        with serving(last_scrape(case.path)) as url, tempfile.TemporaryDirectory() as home:
            command = [str(PEERS / "vllm-doctor" / "bin" / "vllm-doctor"), "diagnose", url, "--output", "json"]
            said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home)
        fired = [check for check in json.loads(said.stdout)["checks"] if check["finding"]]
        fired.sort(key=lambda check: check["finding"]["severity"] != "critical")
        found[case.path] = [check["id"] for check in fired]
    return found


def last_scrape(path: Path) -> bytes:
    parts = gzip.decompress(path.read_bytes()).decode().split("# t=")
    answered = [part for part in parts if part.split("\n", 1)[0].endswith("status=200")]
    return answered[-1].split("\n", 1)[1].encode()


class serving:  # noqa: N801 (it is used as a verb)
    """A server that answers every request with the same metrics, on a free port of this machine."""

    def __init__(self, body: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/metrics"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


if __name__ == "__main__":
    main()
