"""What `paramedic.yaml` may say, with its defaults. Nothing in it holds a secret's value."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from paramedic.model.target import Mode

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Context:
    """Where the values come from: relative paths start at `folder`, `{env: NAME}` is looked up in `environ`."""

    folder: Path
    environ: Mapping[str, str]

    def path(self, text: str) -> Path:
        return self.folder / Path(text).expanduser()


def _context(info: ValidationInfo) -> Context:
    return info.context if isinstance(info.context, Context) else Context(Path(), os.environ)


def parse_duration(value: object) -> float:
    """Seconds of `5s`, `15m`, `1h30m`, `250ms` or a number. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = value.replace(" ", "") if isinstance(value, str) else ""
    if re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h|d))+", text):
        return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h|d)", text))
    raise ValueError("is not a duration: write 5s, 15m, 1h or a number of seconds")


def parse_url(value: object) -> str:
    """An engine's address without trailing slash and `/v1`. Raises ValueError; the message never shows the value."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL: its port is not a number between 0 and 65535") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not a URL: write http://HOST:PORT")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user and a password do not belong in a URL: use api_key")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = re.sub(r"(/v1)?/*$", "", parts.path)
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "") + path


def parse_engine_url(value: object) -> str:
    """As `parse_url`; a query has no meaning for an engine."""
    if isinstance(value, str) and ("?" in value or "#" in value):
        raise ValueError("is not the address of a server: leave out what follows ? or #")
    return parse_url(value)


def parse_webhook_url(value: object) -> str:
    """The receiver's URL as it is written. Raises ValueError; the message never shows the value."""
    parse_url(value)
    return str(value)


def parse_host(value: object) -> str:
    """The name or address of a machine, without scheme and port. Raises ValueError."""
    if isinstance(value, str) and re.fullmatch(
        r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:.]+", value
    ):
        return value
    raise ValueError("is not the name of a machine: write smtp.example.com, the port has its own key")


def parse_mail_address(value: object) -> str:
    """`name@example.com`, in ASCII. Raises ValueError."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+", value):
        return value
    raise ValueError("is not a mail address: write name@example.com")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def shown_url(url: str) -> str:
    """A webhook's URL without the parts that may be a secret: `https://host:port/***`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" + ("/***" if parts.path.strip("/") or parts.query else "")


Seconds = Annotated[float, BeforeValidator(parse_duration)]
EngineUrl = Annotated[str, BeforeValidator(parse_engine_url)]
WebhookUrl = Annotated[str, BeforeValidator(parse_webhook_url)]
HostName = Annotated[str, BeforeValidator(parse_host)]
MailAddress = Annotated[str, BeforeValidator(parse_mail_address)]
ModeName = Annotated[Mode, Field(strict=False)]


def _existing(value: str, info: ValidationInfo) -> str:
    path = _context(info).path(value)
    if not path.exists():
        raise ValueError(f"no such file or folder: {path}")
    return str(path)


ExistingPath = Annotated[str, AfterValidator(_existing)]


class Section(BaseModel):
    """Strict, frozen, and unknown keys are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Secret(Section):
    """Where a secret lies: in a file or in the environment. It is read when it is used, and never kept."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _not_literal(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("a secret does not belong in this file: write {env: NAME} or {file: PATH}")
        return value

    @model_validator(mode="after")
    def _there(self, info: ValidationInfo) -> "Secret":
        context = _context(info)
        if (self.env is None) == (self.file is None):
            raise ValueError("write either {env: NAME} or {file: PATH}")
        if self.env is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.env):
            raise ValueError("env must be the name of an environment variable, not the secret itself")
        if self.file is not None:
            object.__setattr__(self, "file", str(context.path(self.file)))
        self.reveal(context.environ)
        return self

    def reveal(self, environ: Mapping[str, str] = os.environ) -> str:
        """The secret. Raises ValueError that names the variable or file, never the value."""
        if self.file is None:
            if not (value := environ.get(self.env or "", "").strip()):
                raise ValueError(f"the environment variable {self.env} is not set or is empty")
            return value
        try:
            value = Path(self.file).read_text("utf-8").strip()
        except OSError as error:
            raise ValueError(f"the file {self.file} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"the file {self.file} is not UTF-8 text") from None
        if not value:
            raise ValueError(f"the file {self.file} is empty")
        return value

    def __str__(self) -> str:
        return f"*** (environment {self.env})" if self.env else f"*** (file {self.file})"


class TargetConfig(Section):
    """One server to watch that need not be found."""

    url: EngineUrl  # `http://HOST:PORT`; a trailing `/v1` is left out
    name: str | None = Field(default=None, min_length=1, max_length=100, pattern=r"^\S+$")  # unset: MODEL@HOST:PORT
    mode: ModeName | None = None  # unset: `modes.found`
    api_key: Secret | None = None  # the key that the server asks for
    log: str | None = None  # the path of its log, where Paramedic cannot find it
    model: str | None = None  # its served model name; unset: it is asked

    @field_validator("log")
    @classmethod
    def _beside_the_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        return value if value is None else str(_context(info).path(value))


class Modes(Section):
    """How far Paramedic may go with servers that it started, and with those that it found."""

    started: ModeName = Mode.ACT  # servers that Paramedic started
    found: ModeName = Mode.OBSERVE  # servers that it found, or that the configuration names


class Recovery(Section):
    """The guards of recovery. Times in seconds."""

    budget: int = Field(default=3, ge=0, le=100)  # restarts of one target within `window`
    window: Seconds = Field(default=900.0, gt=0)  # the time for which the budget holds
    backoff: Seconds = Field(default=10.0, ge=0)  # before the second try; doubles
    start_timeout: Seconds = Field(default=1800.0, gt=0)  # after a restart, until it must serve
    stop_grace: Seconds = Field(default=10.0, ge=0)  # from SIGTERM to SIGKILL
    hang_confirm: Seconds = Field(default=60.0, ge=0)  # how long an engine must be silent before it is restarted


class WebhookConfig(Section):
    """A program that is told by HTTP POST; signed where there is a secret."""

    type: Literal["webhook"]
    name: str = Field(min_length=1, max_length=100)  # how deliveries name it
    url: WebhookUrl  # who receives the POST
    secret: Secret | None = None  # signs each message


class TerminalConfig(Section):
    """The terminal of `paramedic watch`."""

    type: Literal["terminal"]
    name: str = Field(min_length=1, max_length=100)  # how deliveries name it


class EmailConfig(Section):
    """Mailboxes that are written to by SMTP; one incident is one thread."""

    type: Literal["email"]
    name: str = Field(min_length=1, max_length=100)  # how deliveries name it
    host: HostName  # the mail server
    port: int | None = Field(default=None, ge=1, le=65535)  # unset: 587 for starttls, 465 for tls, 25 for none
    security: Literal["starttls", "tls", "none"] = "starttls"  # `none`: only to a mail server of this machine
    user: str | None = Field(default=None, min_length=1)  # where the mail server asks who we are
    password: Secret | None = None  # of this user
    sender: MailAddress  # who the mail is from
    to: tuple[MailAddress, ...] = Field(min_length=1, strict=False)  # who receives it
    ca_file: ExistingPath | None = None  # certificates to trust besides those of this machine

    @model_validator(mode="after")
    def _safe(self) -> "EmailConfig":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together: give both or none")
        if self.security == "none" and not _is_this_machine(self.host):
            raise ValueError("security: none is for a mail server of this machine; others need starttls or tls")
        return self


NotifierConfig = Annotated[WebhookConfig | EmailConfig | TerminalConfig, Field(discriminator="type")]


class Server(Section):
    """The daemon's own HTTP."""

    host: str = "127.0.0.1"  # a loopback address
    port: int = Field(default=9911, ge=0, le=65535)  # 0: any free one; where it is taken, a free one is used

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if not _is_this_machine(value):
            raise ValueError("must be a loopback address, such as 127.0.0.1: the API is for this machine only")
        return value


class Config(Section):
    """The whole of `paramedic.yaml`."""

    interval: Seconds = Field(default=5.0, ge=1, le=60)  # between two looks at a server, 1 s to 60 s
    data_dir: str | None = None  # unset: `~/.local/share/paramedic`, for root `/var/lib/paramedic`
    lang: Literal["en", "zh"] | None = None  # unset: the locale's
    discovery: bool = True  # look for the servers of this machine
    targets: tuple[TargetConfig, ...] = Field(default=(), strict=False)  # servers to watch that need not be found
    modes: Modes = Modes()  # how far Paramedic may go
    recovery: Recovery = Recovery()  # the guards of recovery
    notifiers: tuple[NotifierConfig, ...] = Field(default=(), strict=False)  # who is told
    server: Server = Server()  # the daemon's own HTTP
    rules: tuple[ExistingPath, ...] = Field(default=(), strict=False)  # your own rule files or folders of them
    knowledge: tuple[ExistingPath, ...] = Field(default=(), strict=False)  # your own folders of faults, beside ours

    @field_validator("data_dir")
    @classmethod
    def _data_dir(cls, value: str | None, info: ValidationInfo) -> str | None:
        return value if value is None else str(_context(info).path(value))
