"""What somebody who watches an engine sees of a fault: the same of a practice engine as of a real one.

The views of the real engine are kept in tests/recordings/views: of an engine to which Paramedic does nothing,
so that nothing in them is Paramedic's own doing.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil

from paramedic.adapters.processes.recognise import role_of, serve_arguments
from paramedic.model.target import Role

VIEWS = Path(__file__).parent / "recordings" / "views"
OBSERVE = "server: {port: 0}\ninterval: 1s\nmodes: {started: observe}\n"


@dataclass(frozen=True, slots=True)
class View:
    """One fault, a few seconds after its diagnosis."""

    health: str  # of GET /health: "200", "503", "refused", "silent"
    metrics: str
    server: str  # how the API server ended; "lives"
    left: tuple[str, ...]  # roles of the engine's processes that live
    alert: str  # the first, or the one that was waited for
    cause: str  # the first after that alert, of all that Paramedic saw
    log: str  # the first, of the log alone


def check(fault: str, seen: View) -> None:
    """Hold what was seen of the real engine against what is kept of it.

    PARAMEDIC_WRITE_VIEWS=all keeps it anew, =new only where nothing is kept yet.
    """
    wanted = os.environ.get("PARAMEDIC_WRITE_VIEWS", "")
    if wanted == "all" or (wanted == "new" and not (VIEWS / f"{fault}.json").exists()):
        VIEWS.mkdir(exist_ok=True)
        (VIEWS / f"{fault}.json").write_text(json.dumps(asdict(seen), indent=1) + "\n", "utf-8")
    assert seen == kept(fault)


def kept(fault: str) -> View:
    """The real engine's view of this fault."""
    fields = json.loads((VIEWS / f"{fault}.json").read_text("utf-8"))
    return View(**{**fields, "left": tuple(fields["left"])})


def view(url: str, session: int, entries: Sequence[dict[str, Any]], run: int = 1, alert: str = "") -> View:
    """Look now. `entries` are the journal's; `session` is that of this run of the engine, its last.

    Of a crowd several alerts tell, in an order that is nobody's promise: `alert` is the one that was waited for.
    """
    seen = next(e for e in entries if e["type"] == "EngineSeen" and e["run"] == run)
    entries = [e for e in entries if e["seq"] > seen["seq"]]
    ended = [e["exit"] for e in entries if e["type"] == "ProcessEnded"]
    server = next((_how(exit_) for exit_ in ended if exit_["pid"] == seen["process"]["pid"]), "lives")
    fired = next((e for e in entries if e["type"] == "AlertFired" and alert in ("", e["alert"]["rule"])), None)
    after = fired["seq"] if fired else 0
    diagnoses = [e["diagnosis"] for e in entries if e["type"] == "DiagnosisMade" and e["seq"] > after]
    return View(
        health=_answer(f"{url}/health"),
        metrics=_answer(f"{url}/metrics"),
        server=server,
        left=tuple(sorted(_roles(session))),
        alert=fired["alert"]["rule"] if fired else "",
        cause=_first_cause(diagnoses[0]) if diagnoses else "",
        log=_first_cause(_of_log(seen["log"])),
    )


def _how(exit_: dict[str, Any]) -> str:
    if exit_["signal"] is not None:
        return f"signal {exit_['signal']}"
    return "ended" if exit_["code"] is None else f"exit code {exit_['code']}"


def _answer(url: str) -> str:
    try:
        with urlopen(url, timeout=3) as reply:  # noqa: S310 (a URL of the test's own engine)
            return str(reply.status)
    except HTTPError as error:
        return str(error.code)
    except TimeoutError:
        return "silent"
    except URLError as error:
        return "silent" if isinstance(error.reason, TimeoutError) else "refused"
    except OSError:
        return "refused"


def _roles(session: int) -> set[str]:
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError, IndexError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                words = process.cmdline()
                role = Role.API_SERVER if serve_arguments(words) is not None else role_of(words[0].strip())
                found.add(role.value)
    return found - {Role.OTHER.value}


def _of_log(path: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "paramedic", "diagnose", path, "--json"]
    diagnosis: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    return diagnosis


def _first_cause(diagnosis: dict[str, Any]) -> str:
    return str(diagnosis["findings"][0]["cause"] if diagnosis["findings"] else diagnosis["verdict"])
