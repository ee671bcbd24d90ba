"""Which API key a canary carries, and what the notifiers of the configuration become."""

from pathlib import Path

import pytest

from paramedic.adapters.notifiers.email import EmailNotifier
from paramedic.adapters.notifiers.terminal import TerminalNotifier
from paramedic.adapters.notifiers.webhook import WebhookNotifier
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.app.config import Config, EmailConfig
from paramedic.app.wiring import keys_of, mail_server_of, notifiers_of
from paramedic.model.target import Origin, Target

STARTED = Target("m@127.0.0.1:8000", "http://127.0.0.1:8000", Origin.STARTED)
FOUND = Target("x@127.0.0.1:8001", "http://127.0.0.1:8001", Origin.FOUND)


def config(url: str) -> Config:
    return Config.model_validate({"targets": [{"url": url, "api_key": {"env": "HOME"}}]})


def test_an_engine_that_we_started_is_asked_with_the_key_of_its_start(tmp_path: Path) -> None:
    supervisor = ChildSupervisor(tmp_path)
    supervisor.register(STARTED, ["vllm", "serve", "m", "--api-key", "k1"], {"VLLM_API_KEY": "k2"}, "/")
    assert keys_of(Config(), supervisor)(STARTED) == "k1"

    supervisor.register(STARTED, ["vllm", "serve", "m"], {"VLLM_API_KEY": "k2"}, "/")
    assert keys_of(Config(), supervisor)(STARTED) == "k2"


def test_the_configuration_wins(tmp_path: Path) -> None:
    supervisor = ChildSupervisor(tmp_path)
    supervisor.register(STARTED, ["vllm", "serve", "m", "--api-key", "k1"], {}, "/")

    assert keys_of(config(STARTED.url), supervisor, {"HOME": "k0"})(STARTED) == "k0"


def test_nobody_else_gets_a_key(tmp_path: Path) -> None:
    supervisor = ChildSupervisor(tmp_path)

    assert keys_of(config(STARTED.url), supervisor)(FOUND) is None
    assert keys_of(Config(), supervisor)(STARTED) is None


MAIL = {"type": "email", "name": "duty", "host": "127.0.0.1", "sender": "a@b.c", "to": ["d@e.f"]}


@pytest.mark.parametrize(
    ("more", "port", "security"),
    [
        ({}, 587, "starttls"),
        ({"security": "tls"}, 465, "tls"),
        ({"security": "none"}, 25, "none"),
        ({"port": 26}, 26, "starttls"),
    ],
)
def test_a_mail_server_has_the_port_of_its_security(more: dict[str, object], port: int, security: str) -> None:
    [config] = Config.model_validate({"notifiers": [MAIL | more]}).notifiers
    assert isinstance(config, EmailConfig)
    server = mail_server_of(config)
    assert (server.port, server.security, server.user, server.password) == (port, security, "", "")


def test_every_kind_of_notifier_is_made_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    secret = {"file": str(tmp_path / "secret")}
    config = Config.model_validate(
        {
            "notifiers": [
                MAIL | {"user": "u", "password": secret},
                {"type": "webhook", "name": "bridge", "url": "http://h/x", "secret": secret},
                {"type": "terminal", "name": "here"},
            ]
        }
    )
    made = notifiers_of(config, print, "zh")
    assert [(name, type(one)) for name, one in made.items()] == [
        ("duty", EmailNotifier),
        ("bridge", WebhookNotifier),
        ("here", TerminalNotifier),
    ]
    assert isinstance(config.notifiers[0], EmailConfig)
    assert mail_server_of(config.notifiers[0]).password == "hunter2"
    assert "hunter2" not in repr(mail_server_of(config.notifiers[0])) + repr(config)
