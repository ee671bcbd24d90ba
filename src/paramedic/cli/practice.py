"""`paramedic practice`: serve a pretend vLLM, break it, mend it, list what can be broken."""

from pathlib import Path

import click

from paramedic.cli.options import data_dir_option, json_option, lang_option, print_json
from paramedic.model.text import Language, Text

FAULT_IDS = (
    "api-server-killed",
    "clients-disconnect",
    "enforce-eager-slow-decode",
    "engine-core-died",
    "engine-hung",
    "hung-and-never-exits",
    "kv-cache-preemption",
    "kv-cache-smaller-than-max-model-len",
    "local-model-path-missing",
    "long-prompts",
    "max-num-seqs-too-small",
    "metrics-slow",
    "no-memory-for-kv-cache",
    "oom-cuda-graph-capture",
    "oom-gpu-runtime",
    "oom-weights-at-load",
    "port-in-use-api",
    "request-queue-saturated",
    "server-never-exits-on-sigterm",
    "short-stall",
    "start-slow",
    "start-stalled",
    "unknown-or-invalid-argument",
    "weights-corrupt-or-truncated",
    "worker-killed",
)


class ServeByDefault(click.Group):
    """`paramedic practice --port 8300` is `paramedic practice serve --port 8300`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ServeByDefault, short_help="A pretend vLLM to practise on: serve, break, mend, list.")
def command() -> None:
    """A pretend vLLM to practise on: serve, break, mend, list.

    Without a command it serves. The pretend engine has the processes, the API, the metrics and the
    log lines of a real vLLM 0.32, needs no GPU and no model, and dies as the real one does.

    \b
    Examples:
      paramedic practice                              serve on the first free port from 8210
      paramedic practice break engine-core-died       kill its engine core
      paramedic practice mend                         undo what can be undone
      paramedic practice list                         what can be broken, what is, what runs
    """


@command.command(short_help="Serve in the foreground until Ctrl-C.")
@click.argument("model_dir", required=False, type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="[default: the first free one from 8210]")
@click.option("--served-model-name", default="practice", show_default=True, help="The model's name in the API.")
@click.option(
    "--max-num-seqs", type=click.IntRange(min=1), default=32, show_default=True, help="Requests running at once."
)
@click.option(
    "--max-num-batched-tokens",
    type=click.IntRange(min=1),
    default=2048,
    show_default=True,
    help="Tokens that one step computes at most.",
)
@click.option(
    "--num-gpu-blocks-override",
    type=click.IntRange(min=1),
    help="KV blocks of 16 tokens.  [default: 1024]",
)
@click.option(
    "--tensor-parallel-size",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Workers below each engine core.",
)
@click.option("--data-parallel-size", type=click.IntRange(1, 8), default=1, show_default=True, help="Engine cores.")
@click.option(
    "--model-kind",
    type=click.Choice(["generate", "embedding"]),
    default="generate",
    show_default=True,
    help="What it makes of a prompt: text or a vector.",
)
@click.option("--enforce-eager", is_flag=True, help="Without CUDA graphs: slow steps, a short start.")
@click.option("--no-traffic", is_flag=True, help="Without its own small traffic.")
@click.option(
    "--tokens-per-second",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Output tokens per second of a lone stream.",
)
@click.option(
    "--start-seconds",
    type=click.FloatRange(min=0),
    default=2.5,
    show_default=True,
    help="How long loading takes.",
)
@click.option(
    "--dead-seconds",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How long it answers 503 after its engine has died, before it exits.",
)
@data_dir_option
def serve(
    model_dir: Path | None,
    port: int | None,
    served_model_name: str,
    max_num_seqs: int,
    max_num_batched_tokens: int,
    num_gpu_blocks_override: int | None,
    tensor_parallel_size: int,
    data_parallel_size: int,
    model_kind: str,
    enforce_eager: bool,
    no_traffic: bool,
    tokens_per_second: float,
    start_seconds: float,
    dead_seconds: float,
    data_dir: Path,
) -> None:
    """Serve in the foreground until Ctrl-C; the log goes to the terminal.

    MODEL_DIR is a model folder; of its config.json only the context length and the architecture
    are read. Without it a small folder of our own is used.

    \b
    Examples:
      paramedic practice serve
      paramedic practice serve --port 8300 --no-traffic --max-num-seqs 2
      paramedic practice serve --tensor-parallel-size 8      the processes of eight GPUs
      paramedic practice serve --model-kind embedding        /v1/embeddings instead of text
    """
    from paramedic.practice.launch import become_server, first_free_port
    from paramedic.practice.model_folder import make_own_model
    from paramedic.practice.settings import Settings

    data_dir = data_dir.absolute()
    model = model_dir.absolute() if model_dir else make_own_model(data_dir)
    become_server(
        Settings(
            model=str(model),
            port=port or first_free_port(),
            data_dir=str(data_dir),
            served_model_name=served_model_name,
            max_num_seqs=max_num_seqs,
            max_num_batched_tokens=max_num_batched_tokens,
            num_gpu_blocks_override=num_gpu_blocks_override or 0,
            tensor_parallel_size=tensor_parallel_size,
            data_parallel_size=data_parallel_size,
            runner="pooling" if model_kind == "embedding" else "generate",
            enforce_eager=enforce_eager,
            traffic=not no_traffic,
            tokens_per_second=tokens_per_second,
            start_seconds=start_seconds,
            dead_seconds=dead_seconds,
        )
    )


@command.command("break")
@click.argument("fault", metavar="FAULT", type=click.Choice(FAULT_IDS))
@click.option(
    "--seconds", type=click.FloatRange(min=0), help="How long it lasts or takes.  [default: as `practice list` says]"
)
@click.option("--url", help="Which practice engine, by its address.")
@click.option("--port", type=int, help="Which practice engine, by its port.")
@data_dir_option
@lang_option
@json_option
def break_(
    fault: str, seconds: float | None, url: str | None, port: int | None, data_dir: Path, lang: Language, as_json: bool
) -> None:
    """Break a running practice engine. `paramedic practice list` says what there is.

    \b
    Examples:
      paramedic practice break engine-hung
      paramedic practice break engine-core-died --port 8210
      paramedic practice break short-stall --seconds 5

    \b
    Exit codes: 0 broken, 2 it cannot be broken so, 4 no practice engine runs.
    """
    from paramedic.practice.faults import find_fault
    from paramedic.practice.registration import choose_engine

    engine = choose_engine(data_dir.absolute(), url, port)
    engine.call("POST", f"/faults/{fault}" + ("" if seconds is None else f"?seconds={seconds}"))
    if as_json:
        print_json({"url": engine.url, "broken": fault})
    else:
        click.echo(f"{engine.url}: {fault}: {find_fault(fault).title.in_language(lang)}")


@command.command(short_help="Undo every fault that can be undone.")
@click.option("--url", help="Which practice engine, by its address.  [default: all]")
@click.option("--port", type=int, help="Which practice engine, by its port.  [default: all]")
@data_dir_option
@lang_option
@json_option
def mend(url: str | None, port: int | None, data_dir: Path, lang: Language, as_json: bool) -> None:
    """Undo every fault that can be undone: let a stopped engine go on, put the model back, send the crowds away.

    \b
    Examples:
      paramedic practice mend
      paramedic practice mend --port 8210

    \b
    Exit codes: 0 nothing is broken now, 4 no practice engine runs and nothing was broken.
    """
    from paramedic.practice.mending import mend_all

    mended = mend_all(data_dir.absolute(), url, port)
    if as_json:
        print_json({"mended": mended})
        return
    nothing = Text("nothing was broken", "没有需要恢复的故障").in_language(lang)
    done = Text("mended", "已恢复").in_language(lang)
    click.echo("\n".join(f"{done}: {fault}" for fault in mended) or nothing)


@command.command("list", short_help="Show faults, what is broken, what runs.")
@data_dir_option
@lang_option
@json_option
def list_(data_dir: Path, lang: Language, as_json: bool) -> None:
    """Show what can be broken, what is broken now, and which practice engines run.

    \b
    Examples:
      paramedic practice list
      paramedic practice list --json --lang zh
    """
    from paramedic.practice.mending import state

    known = state(data_dir.absolute())
    if as_json:
        print_json(known.document())
        return
    broken = Text("broken now", "当前已注入").in_language(lang)
    for one in known.faults:
        fault = one.fault
        lasts = f"  ({fault.seconds:g} s)" if fault.seconds else ""
        click.echo(f"{fault.id}{lasts}{f'  [{broken}]' if one.broken else ''}")
        click.echo(f"    {fault.summary.in_language(lang)}")
    click.echo()
    none = Text("no practice engine runs", "没有正在运行的练习引擎").in_language(lang)
    click.echo("\n".join(f"{engine.url}  pid {engine.pid}  {engine.model}" for engine in known.engines) or none)
