"""What a command line or a title says: is this an engine's API server, where will it listen, what is its part?"""

import re
from collections.abc import Sequence
from pathlib import PurePath

from paramedic.model.target import Role

DEFAULT_PORT = 8000
SERVER_MODULE = "vllm.entrypoints.openai.api_server"
CLI_MODULES = ("vllm", "vllm.entrypoints.cli", "vllm.entrypoints.cli.main")
PYTHON = re.compile(r"(python|pypy)[\d.]*t?(-dbg)?$")
TITLE = re.compile(r"(?:[\w-]+::|ray::.*?)(EngineCore|Worker|RayWorker|APIServer)")
ROLES = {
    "EngineCore": Role.ENGINE_CORE,
    "Worker": Role.WORKER,
    "RayWorker": Role.WORKER,
    "APIServer": Role.API_SERVER,
}
EVERYWHERE = ("", "0.0.0.0", "::", "*", "None")  # noqa: S104 (read, not bound)


def arguments_of(cmdline: bytes) -> tuple[str, ...]:
    """The arguments in /proc/PID/cmdline: NUL separated, or one string where a program wrote its own title."""
    parts = [part.decode(errors="replace") for part in cmdline.rstrip(b"\0 ").split(b"\0")]
    if len(parts) == 1 or not any(parts[1:]):
        parts = parts[0].split()
    return tuple(parts)


def title_of(cmdline: bytes) -> str:
    """The title that an engine's process gave itself (`VLLM::EngineCore`), else "". Arguments may hold keys."""
    words = cmdline.split(b"\0", 1)[0].decode(errors="replace").split()
    return words[0][:64] if words and "::" in words[0] else ""


def role_of(title: str) -> Role:
    """What a process with that title does in its engine."""
    found = TITLE.match(title)
    return ROLES[found.group(1)] if found else Role.OTHER


def serve_arguments(argv: Sequence[str]) -> tuple[str, ...] | None:
    """What follows `vllm serve` when that is what this process itself runs; None for everything else.

    A shell, an editor, `docker run` or `timeout` whose arguments merely contain these words is no server.
    """
    if not argv:
        return None
    program = PurePath(argv[0]).name
    if program == "vllm":
        return _after_serve(argv[1:])
    if not PYTHON.match(program):
        return None
    module, rest = _python_program(argv[1:])
    if module == SERVER_MODULE or module.endswith("vllm/entrypoints/openai/api_server.py"):
        return tuple(rest)
    is_cli = module in CLI_MODULES or module.endswith("vllm/entrypoints/cli/main.py")
    if is_cli or ("/" in module and PurePath(module).name == "vllm"):
        return _after_serve(rest)
    return None


def _after_serve(words: Sequence[str]) -> tuple[str, ...] | None:
    if not words or words[0] != "serve" or "--headless" in words:
        return None  # a headless node has no API server
    return tuple(words[1:])


def _python_program(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The module or script that a Python runs, and its arguments; ("", ()) for none (`-c`, the prompt)."""
    at = 0
    while at < len(words):
        word = words[at]
        if not word.startswith("-"):
            return word, words[at + 1 :]
        if word.startswith("--"):
            at += 1
        elif word.endswith("m") and at + 1 < len(words):  # -m, and clusters such as -um
            return words[at + 1], words[at + 2 :]
        elif "c" in word[1:] and not word.startswith(("-X", "-W")):
            return "", ()
        else:
            at += 2 if word in ("-X", "-W") else 1
    return "", ()


def option(arguments: Sequence[str], name: str) -> str | None:
    """The last value of `--name VALUE` or `--name=VALUE`; underscores and dashes are the same to vLLM."""
    value = None
    for at, word in enumerate(arguments):
        flag, equals, inline = word.partition("=")
        if flag.replace("_", "-") != name:
            continue
        if equals:
            value = inline
        elif at + 1 < len(arguments):
            value = arguments[at + 1]
    return value


def reachable_host(host: str) -> str:
    """The address by which this machine reaches a server bound to `host`."""
    if host in EVERYWHERE:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def urls_of(arguments: Sequence[str], listening: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Where a server with these arguments listens or will listen, likeliest first.

    `listening` are the sockets on which its process already listens. None of both for a Unix socket (`--uds`).
    """
    if option(arguments, "--uds"):
        return ()
    secure = option(arguments, "--ssl-keyfile") or option(arguments, "--ssl-certfile")
    scheme = "https" if secure else "http"
    given = option(arguments, "--port") or ""
    wanted = int(given) if given.isdigit() and int(given) < 65536 else DEFAULT_PORT
    host = reachable_host(option(arguments, "--host") or "")
    places = [(reachable_host(address), port) for address, port in listening]
    places.sort(key=lambda place: (place[1] != wanted, place[1]))
    # An explicit port is true before anybody listens; the default yields to what a config file may have set.
    if wanted not in [port for _, port in places]:
        places.insert(0 if given or not places else len(places), (host, wanted))
    return tuple(dict.fromkeys(f"{scheme}://{host}:{port}" for host, port in places))
