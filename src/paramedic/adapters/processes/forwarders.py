"""Ports that are published for a container: the programs that forward them say in their arguments where they lead."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from paramedic.adapters.processes import stat as proc
from paramedic.adapters.processes.networks import Identity, addresses_of, identity, network_of
from paramedic.adapters.processes.recognise import arguments_of

DOCKER = ("docker-proxy", "rootlesskit-docker-proxy")
PASTA = ("pasta", "pasta.avx2", "passt")
ROOTLESSKIT = ("rootlesskit",)
CMDLINE_LIMIT = 32 * 1024

Place = tuple[str, int]  # (address, port) on our side


def published(pid: int, port: int) -> list[Place]:
    """Where that port of a process in another network is published in ours, as far as forwarders tell."""
    addresses, network = addresses_of(pid), network_of(pid)
    found: list[Place] = []
    for other in proc.pids():
        argv = arguments_of(proc.read_bytes(other, "cmdline", CMDLINE_LIMIT))
        found += published_by(argv, port, addresses, network)
    return list(dict.fromkeys(found))


def published_by(argv: Sequence[str], port: int, addresses: Sequence[str], network: Identity | None) -> list[Place]:
    """The same for one program."""
    program = PurePath(argv[0]).name if argv else ""
    if program in DOCKER:
        return list(_docker(argv[1:], port, addresses))
    if program in PASTA:
        return list(_pasta(argv[1:], port, network))
    if program in ROOTLESSKIT:
        return list(_rootlesskit(argv[1:], port))
    return []


def _docker(words: Sequence[str], port: int, addresses: Sequence[str]) -> Iterator[Place]:
    said = {name: value for name, value in _options(words) if value}
    ours = said.get("proto", "tcp") == "tcp" and said.get("container-ip") in addresses
    if ours and said.get("container-port") == str(port) and said.get("host-port", "").isdigit():
        yield said.get("host-ip", ""), int(said["host-port"])


def _pasta(words: Sequence[str], port: int, network: Identity | None) -> Iterator[Place]:
    """`-t 127.0.0.1/8080:80,8100-8110 --netns PATH`: ranges on our side, and where they lead."""
    options = list(_options(words))
    joined = [value for name, value in options if name == "netns"]
    if joined and network is not None and identity(joined[-1]) not in (None, network):
        return  # another container's
    for name, value in options:
        if name in ("t", "tcp-ports"):
            for item in value.split(","):
                address, _, ports = item.rpartition("/")
                yield from _mapped(address.partition("%")[0], *ports.partition(":")[::2], port)


def _rootlesskit(words: Sequence[str], port: int) -> Iterator[Place]:
    """`-p 127.0.0.1:8080:80/tcp`."""
    for name, value in _options(words):
        spec, _, protocol = value.partition("/")
        if name in ("p", "publish") and protocol in ("", "tcp") and spec.count(":") >= 1:
            rest, _, inside = spec.rpartition(":")
            address, _, outside = rest.rpartition(":")
            yield from _mapped(address.strip("[]"), outside, inside, port)


def _mapped(address: str, outside: str, inside: str, port: int) -> Iterator[Place]:
    """The port on our side that leads to `port`, for two ranges of the same length (`inside` empty: the same one)."""
    here, there = _range(outside), _range(inside or outside)
    if here and there and port in there and len(here) == len(there):
        yield address, here[port - there.start]


def _range(text: str) -> range | None:
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        return None  # `auto`, `all`, `~22`: they name no port
    return range(int(first), int(last or first) + 1)


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`-name VALUE`, `--name VALUE` and `--name=VALUE`, names without dashes."""
    for at, word in enumerate(words):
        if word.startswith("-"):
            name, equals, inline = word.lstrip("-").partition("=")
            follows = words[at + 1] if at + 1 < len(words) else ""
            yield name, inline if equals else ("" if follows.startswith("-") else follows)
