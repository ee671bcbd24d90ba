"""`paramedic`: the list of commands, each imported when it is called."""

import difflib
import importlib
import re
import sys
import traceback
from collections.abc import Sequence

import click

from paramedic import __version__
from paramedic.model.errors import ParamedicError

COMMANDS = {
    "watch": "Watch the servers of this machine, or start one and own its recovery.",
    "status": "Show what is known of every server now.",
    "incidents": "List incidents, newest first.",
    "explain": "Tell the chain of events behind an alert, an incident or an action.",
    "diagnose": "Say what is wrong: from logs, a recording, an incident, or a running server.",
    "latency": "Take a server's latency apart: queue, prefill, decode, the rest, and why.",
    "memory": "Show where a server's GPU memory goes, and which flag moves what.",
    "record": "Record a server into one file: logs, metrics, GPU, host; without secrets.",
    "approve": "Let a proposed action happen.",
    "reject": "Refuse a proposed action.",
    "hold": "Keep Paramedic's hands off a server; it is watched on.",
    "resume": "Give a held server back into Paramedic's hands.",
    "restart": "Restart a server that Paramedic started, and see it serve again.",
    "events": "Print what the journal says, a line an event, and follow it.",
    "stop": "Stop the running watch and the engines that it started.",
    "check": "Judge rules, faults and vocabulary: this version's, and your own.",
    "knowledge": "The faults that are known: list, show, lint, test, new.",
    "config": "Show or check the configuration.",
    "backup": "Save the data folder into one file, also while a watch runs.",
    "restore": "Put a backup into the place of the data folder.",
    "practice": "A pretend vLLM to practise on: serve, break, mend, list.",
}

EXIT_DEFECT = 70


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"paramedic.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="paramedic")
def paramedic() -> None:
    """The on-call engineer for LLM inference servers.

    \b
    Examples:
      paramedic watch                         watch every vLLM of this machine
      paramedic watch -- vllm serve MODEL     start one and bring it back when it dies
      paramedic diagnose server.log           say what is wrong with a server that died

    \b
    Exit codes: 0 fine, 1 found something, 2 usage or configuration, 3 could not tell,
    4 the daemon is not there or not free, 70 a defect of ours.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; every expected error becomes a sentence and its exit code, every other one a report."""
    try:
        code = paramedic.main(arguments, prog_name="paramedic", standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.UsageError as error:
        click.UsageError(_in_words(error.format_message()), error.ctx).show()
        code = 2
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except ParamedicError as error:
        click.echo(f"paramedic: {error}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: nothing more to say
        code = 0
    except Exception:  # noqa: BLE001 (the last barrier of a command: a defect of ours, with what to report)
        traceback.print_exc()
        click.echo(
            f"paramedic {__version__}: this is a defect of Paramedic, not of your server.\n"
            "Please report it with the lines above.",
            err=True,
        )
        code = EXIT_DEFECT
    sys.exit(code if isinstance(code, int) else 0)


def _in_words(message: str) -> str:
    """Of a long list of words the one that was meant is of more help."""
    if wrong := re.search(r"'([^']+)' is not one of (.+)\.$", message):
        close = difflib.get_close_matches(wrong[1], re.findall(r"'([^']+)'", wrong[2]), n=1)
        meant = f"{wrong[1]!r} is not known. Did you mean {close[0]!r}?" if close else wrong[0]
        return message[: wrong.start()] + meant
    return re.sub(r"is not a valid (integer|float)( range)?\b", "is not a number", message)
