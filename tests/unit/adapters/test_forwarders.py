"""Which port is published for a container, as the forwarders' arguments tell."""

import pytest

from paramedic.adapters.processes.forwarders import published_by

DOCKER = (
    "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 9000 -container-ip 172.17.0.2 -container-port 8000"
)
EVERYWHERE = "0.0.0.0"  # noqa: S104 (read, not bound)
NONE: list[tuple[str, int]] = []


@pytest.mark.parametrize(
    ("command", "places"),
    [
        (DOCKER, [(EVERYWHERE, 9000)]),
        (DOCKER + " -use-listen-fd", [(EVERYWHERE, 9000)]),
        (DOCKER.replace("/usr/bin/docker-proxy", "/usr/bin/rootlesskit-docker-proxy"), [(EVERYWHERE, 9000)]),
        (DOCKER.replace("-host-ip 0.0.0.0", "-host-ip ::"), [("::", 9000)]),
        (DOCKER.replace("-container-port 8000", "-container-port 8001"), NONE),
        (DOCKER.replace("172.17.0.2", "172.17.0.3"), NONE),  # another container's
        (DOCKER.replace("tcp", "udp"), NONE),
        ("docker-proxy", NONE),
        ("docker-proxy -host-port -container-port 8000 -container-ip 172.17.0.2", NONE),
        ("pasta -t 9000:8000", [("", 9000)]),
        ("pasta --tcp-ports=127.0.0.1/9000:8000", [("127.0.0.1", 9000)]),
        ("/usr/bin/pasta.avx2 --config-net -t 7000-7010:7990-8000,9000:8000 -u none", [("", 7010), ("", 9000)]),
        ("pasta -t 127.0.0.1%lo/8000", [("127.0.0.1", 8000)]),
        ("pasta -t 9000-9001:8000-8005", NONE),  # two ranges that do not fit
        ("pasta -t auto -u 9000:8000", NONE),
        ("pasta -t", NONE),
        ("rootlesskit --net=slirp4netns -p 127.0.0.1:9000:8000/tcp sh", [("127.0.0.1", 9000)]),
        ("rootlesskit -p 9000:8000 --publish=[::1]:9001:8000/tcp sh", [("", 9000), ("::1", 9001)]),
        ("rootlesskit -p 127.0.0.1:9000:8000/udp sh", NONE),
        ("rootlesskit -p 8000 sh", NONE),
        ("grep docker-proxy -host-port 9000 -container-ip 172.17.0.2 -container-port 8000", NONE),
        ("", NONE),
    ],
)
def test_what_a_forwarder_publishes(command: str, places: list[tuple[str, int]]) -> None:
    assert published_by(command.split(), 8000, ["172.17.0.2"], None) == places
