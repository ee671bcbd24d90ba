"""Putting the parts of a daemon together."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

from paramedic.adapters.clock import SystemClock
from paramedic.adapters.http_probe import HttpProbe
from paramedic.adapters.logs.elsewhere import Logs
from paramedic.adapters.notifiers.email import EmailNotifier, MailServer
from paramedic.adapters.notifiers.terminal import TerminalNotifier
from paramedic.adapters.notifiers.webhook import WebhookNotifier
from paramedic.adapters.processes.linux import LinuxProcesses
from paramedic.adapters.processes.recognise import option
from paramedic.adapters.storage.journal_sqlite import SqliteJournal
from paramedic.adapters.storage.journal_waiting import WaitingJournal
from paramedic.adapters.storage.samples_sqlite import SqliteSamples
from paramedic.adapters.supervisors.child import ChildSupervisor
from paramedic.app.config import Config, EmailConfig, TerminalConfig, WebhookConfig
from paramedic.app.folder import DataFolder
from paramedic.journal.fold import fold
from paramedic.knowledge.catalogue import load_catalogue, load_stages
from paramedic.knowledge.lexicon import load_vocabulary
from paramedic.knowledge.rulebook import SHIPPED, load_rules
from paramedic.model.errors import ParamedicError
from paramedic.model.target import Origin, Target
from paramedic.model.text import Language, Text
from paramedic.pipeline.board import BoardMaker
from paramedic.pipeline.cycle import Cycle, Settings
from paramedic.pipeline.judge import RuleJudge
from paramedic.pipeline.recover import Patience
from paramedic.pipeline.scrape import Knowledge
from paramedic.pipeline.world import Recorder, World
from paramedic.ports import Notifier
from paramedic.recovery.guard import Policy
from paramedic.signals.evaluate import Evaluator


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one daemon."""

    journal: WaitingJournal
    samples: SqliteSamples
    probe: HttpProbe
    supervisor: ChildSupervisor
    world: World
    cycle: Cycle
    board: BoardMaker


_BROUGHT_UP_TO_DATE = Text(
    "The journal of an older Paramedic was brought up to date; as it was, it is kept in {}.",
    "旧版 Paramedic 的事件记录已升级到当前格式；原文件保存在 {}。",
)


def build(folder: DataFolder, config: Config, language: Language, print_line: Callable[[str], None]) -> Parts:
    """Open everything below a data folder that we hold. Mistakes in knowledge or rules raise InvalidFiles."""
    vocabulary, stages = load_vocabulary(), load_stages()
    catalogue = load_catalogue(beside=[Path(folder) for folder in config.knowledge])
    rules = load_rules([SHIPPED, *map(Path, config.rules)])
    clock = SystemClock()
    on_disk = SqliteJournal(folder.journal)
    if on_disk.kept is not None:
        print_line(_BROUGHT_UP_TO_DATE.in_language(language).format(on_disk.kept))
    journal = WaitingJournal(on_disk)
    samples = SqliteSamples(folder.samples)
    supervisor = ChildSupervisor(folder.engines)
    probe = HttpProbe(keys_of(config, supervisor))
    world = World(
        clock=clock,
        recorder=Recorder(clock, journal, fold(journal.read())),
        samples=samples,
        probe=probe,
        processes=LinuxProcesses(supervisor.exit_of),
        supervisor=supervisor,
        open_log=Logs().open,
    )
    evaluator = Evaluator(samples, vocabulary)
    cycle = Cycle(
        world,
        settings_of(config, language),
        RuleJudge(world, rules, evaluator),
        evaluator,
        catalogue,
        Knowledge(stages, vocabulary),
        notifiers_of(config, print_line, language),
    )
    return Parts(journal, samples, probe, supervisor, world, cycle, BoardMaker(evaluator))


def log_to(path: Path) -> None:
    """What Paramedic notes of itself goes into a small file: the terminal belongs to the view.

    What matters to people is an event of the journal, not a line here.
    """
    handler = RotatingFileHandler(path, maxBytes=2_000_000, backupCount=1, encoding="utf-8", delay=True)
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.captureWarnings(True)


def settings_of(config: Config, language: Language) -> Settings:
    """The cycle's settings, from the configuration."""
    recovery = config.recovery
    return Settings(
        interval=config.interval,
        discovery=config.discovery,
        found_mode=config.modes.found,
        language=language,
        policy=Policy(recovery.budget, recovery.window, recovery.backoff, hang_confirm=recovery.hang_confirm),
        patience=Patience(stop_grace=recovery.stop_grace, start=recovery.start_timeout),
    )


def keys_of(
    config: Config, supervisor: ChildSupervisor, environ: Mapping[str, str] = os.environ
) -> Callable[[Target], str | None]:
    """The API key of a target, read anew each time: it is kept nowhere.

    The configuration's, else the one with which Paramedic itself started the engine.
    """
    secrets = {t.url: t.api_key for t in config.targets if t.api_key is not None}

    def key_of(target: Target) -> str | None:
        secret = secrets.get(target.url)
        if secret is None:
            return _key_it_was_started_with(target, supervisor)
        try:
            return secret.reveal(environ)
        except ValueError:
            return None  # it was there when the configuration was read; the server's 401 will say the rest

    return key_of


def _key_it_was_started_with(target: Target, supervisor: ChildSupervisor) -> str | None:
    if target.origin is not Origin.STARTED:
        return None
    try:
        spec = supervisor.spec(target)
    except ParamedicError:
        return None
    return option(spec.argv, "--api-key") or spec.env.get("VLLM_API_KEY") or None


def notifiers_of(config: Config, print_line: Callable[[str], None], language: Language) -> dict[str, Notifier]:
    """The notifiers that the configuration names."""
    made: dict[str, Notifier] = {}
    for one in config.notifiers:
        match one:
            case WebhookConfig():
                made[one.name] = WebhookNotifier(one.name, one.url, one.secret.reveal() if one.secret else "")
            case EmailConfig():
                made[one.name] = EmailNotifier(one.name, mail_server_of(one), one.sender, one.to, language)
            case TerminalConfig():
                made[one.name] = TerminalNotifier(print_line)
    return made


def mail_server_of(config: EmailConfig) -> MailServer:
    """Where its letters are handed in, with the password itself."""
    return MailServer(
        host=config.host,
        port=config.port or {"starttls": 587, "tls": 465, "none": 25}[config.security],
        security=config.security,
        user=config.user or "",
        password=config.password.reveal() if config.password else "",
        ca_file=config.ca_file,
    )
