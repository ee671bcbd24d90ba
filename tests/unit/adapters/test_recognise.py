import pytest

from paramedic.adapters.processes.recognise import arguments_of, option, role_of, serve_arguments, title_of, urls_of
from paramedic.model.target import Role

EVERYWHERE = "0.0.0.0"  # noqa: S104 (read, not bound)
SERVERS = [
    "vllm serve m",
    "/opt/vllm/bin/vllm serve m",
    "/opt/vllm/bin/python3 /opt/vllm/bin/vllm serve m",
    "/opt/vllm/bin/python3.12 -B -X dev -W ignore /usr/local/bin/vllm serve m",
    "python -m vllm.entrypoints.openai.api_server --model m",
    "python3 -u -m vllm.entrypoints.openai.api_server --model m",
    "python3 -um vllm.entrypoints.openai.api_server --model m",
    "python3 -m vllm.entrypoints.cli.main serve m",
    "python3 -m vllm serve m",
    "python /usr/lib/python3/dist-packages/vllm/entrypoints/openai/api_server.py --model m",
]
OTHERS = [
    "",
    "bash -c vllm_serve",
    "bash -c python3 -m vllm.entrypoints.openai.api_server",
    "grep -r vllm serve",
    "docker run --gpus all vllm/vllm-openai:latest vllm serve m",
    "uv run vllm serve m",
    "sudo -u llm vllm serve m",
    "timeout 600 vllm serve m",
    "vim vllm serve",
    "paramedic watch -- vllm serve m",
    "python3 /usr/bin/paramedic watch -- vllm serve m",
    "python3 -c import vllm serve",
    "python3 -m pytest vllm serve",
    "python3 -m vllm.entrypoints.cli.main bench serve",
    "vllm bench serve --port 8000",
    "vllm chat",
    "vllm serve m --headless",
    "VLLM::EngineCore",
    "ray::IDLE",
    "python3 benchmark_vllm serve m",
]


@pytest.mark.parametrize("command", SERVERS)
def test_a_server_is_recognised(command: str) -> None:
    assert serve_arguments(command.split()) in (("m",), ("--model", "m"))


@pytest.mark.parametrize("command", OTHERS)
def test_what_only_names_a_server_is_none(command: str) -> None:
    assert serve_arguments(command.split()) is None


def test_arguments_come_with_nuls_or_as_one_title() -> None:
    assert arguments_of(b"vllm\0serve\0/my models/m\0") == ("vllm", "serve", "/my models/m")
    assert arguments_of(b"python3 /bin/vllm serve m --port 8200\0\0\0\0") == (
        "python3",
        "/bin/vllm",
        "serve",
        "m",
        "--port",
        "8200",
    )
    assert arguments_of(b"python3 /bin/vllm serve m   ") == ("python3", "/bin/vllm", "serve", "m")
    assert arguments_of(b"vllm\0serve\0m\0--chat-template\0\0--port\0001\0")[-1] == "1"
    assert arguments_of(b"\xff\0x") == ("�", "x")


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("VLLM::EngineCore", Role.ENGINE_CORE),
        ("VLLM::EngineCore_DP0", Role.ENGINE_CORE),
        ("VLLM::Worker", Role.WORKER),
        ("VLLM::Worker_TP0_EP0", Role.WORKER),
        ("mine::Worker_PP1", Role.WORKER),
        ("VLLM::APIServer_1", Role.API_SERVER),
        ("VLLM::DPCoordinator", Role.OTHER),
        ("ray::RayWorkerWrapper.execute_method", Role.WORKER),
        ("ray::IDLE", Role.OTHER),
        ("python3", Role.OTHER),
        ("", Role.OTHER),
    ],
)
def test_a_title_tells_the_role(title: str, role: Role) -> None:
    assert role_of(title) is role


def test_a_title_is_what_a_process_called_itself_and_never_its_arguments() -> None:
    assert title_of(b"VLLM::EngineCore      \0\0") == "VLLM::EngineCore"
    assert title_of(b"vllm\0serve\0--api-key\0sk-1") == ""
    assert title_of(b"vllm serve --api-key sk::1") == ""
    assert title_of(b"") == ""


def test_an_option_is_read_in_all_its_forms() -> None:
    assert option(["--port", "1", "--port=2"], "--port") == "2"
    assert option(["--ssl_keyfile", "k"], "--ssl-keyfile") == "k"
    assert option(["--port"], "--port") is None
    assert option([], "--port") is None


@pytest.mark.parametrize(
    ("arguments", "listening", "urls"),
    [
        ("", [], ["http://127.0.0.1:8000"]),
        ("--port 8200", [], ["http://127.0.0.1:8200"]),
        ("--port=8200 --host 0.0.0.0", [], ["http://127.0.0.1:8200"]),
        ("--host ::", [], ["http://127.0.0.1:8000"]),
        ("--host ::1", [], ["http://[::1]:8000"]),
        ("--host 10.0.0.7", [], ["http://10.0.0.7:8000"]),
        ("--ssl-keyfile k", [], ["https://127.0.0.1:8000"]),
        ("--uds /tmp/s", [(EVERYWHERE, 1)], []),
        ("--port many", [], ["http://127.0.0.1:8000"]),
        # what really listens: the wanted port first, then the others
        ("--port 8200", [("127.0.0.1", 4000), (EVERYWHERE, 8200)], ["http://127.0.0.1:8200", "http://127.0.0.1:4000"]),
        ("--port 8200", [("127.0.0.1", 4000)], ["http://127.0.0.1:8200", "http://127.0.0.1:4000"]),
        ("--config c.yaml", [(EVERYWHERE, 9000)], ["http://127.0.0.1:9000", "http://127.0.0.1:8000"]),
        ("", [(EVERYWHERE, 8000), ("::", 8000)], ["http://127.0.0.1:8000"]),
    ],
)
def test_where_it_listens(arguments: str, listening: list[tuple[str, int]], urls: list[str]) -> None:
    assert list(urls_of(arguments.split(), listening)) == urls
