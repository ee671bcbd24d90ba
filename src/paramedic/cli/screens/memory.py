"""The memory of a device as a picture: a bar a part, what the KV cache holds, and which flag moves what."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from paramedic.app.log_source import HeldMemory
from paramedic.capacity.account import Account, OutOfMemory, Part, Stage
from paramedic.capacity.levers import Lever
from paramedic.cli.screens.figures import ABSENT, share
from paramedic.cli.screens.layout import Line, line, padded, wrapped
from paramedic.cli.screens.words import say
from paramedic.model.text import Language, Text

_PARTS: dict[str, tuple[Text, str]] = {  # word, colour of its bar
    "before": (Text("before the start", "启动前已占用"), "bright_black"),
    "weights": (Text("weights", "权重"), "blue"),
    "kv-cache": (Text("KV cache", "KV 缓存"), "green"),
    "activations": (Text("activations (peak)", "激活值（峰值）"), "yellow"),
    "outside": (Text("outside PyTorch", "PyTorch 之外"), "magenta"),
    "cuda-graphs": (Text("CUDA graphs", "CUDA 图"), "cyan"),
    "free": (Text("free", "空闲"), "dim"),
    "rest": (Text("the rest", "其余"), "dim"),
}
_SERVER = Text("a server", "服务")
_NO_START = Text(
    "This log does not hold the server's start: what helps depends on when it ran out of memory.",
    "日志里没有启动过程：该怎么办取决于它在哪个阶段显存不足。",
)
_NOT_KNOWN = Text("not known", "未知")
_TOTAL = Text("total", "合计")
_DEVICE = Text("GPU memory", "显存")
_HOST = Text("memory", "内存")
_OF_RANKS = Text("the tightest of {} workers: {}", "{} 个 worker 中最紧张的：{}")
_BUDGET = Text(
    "budget {budget} GiB = {share} of {total} GiB; its parts add up to {sum} GiB: {verdict}",
    "预算 {budget} GiB = {total} GiB 的 {share}；各部分合计 {sum} GiB：{verdict}",
)
_AGREES = Text("agrees", "吻合")
_DIFFERS = Text("does not agree", "不吻合")
_HELD = Text(
    "the driver saw: this server at most {server} GiB, other processes {others} GiB",
    "驱动所见：本服务最多 {server} GiB，其他进程 {others} GiB",
)
_BEYOND = Text(
    "; {} GiB against the parts above (its context, libraries, the sampler; activations may have shrunk)",
    "；与以上各部分相差 {} GiB（上下文、库、采样器；激活值可能已释放）",
)
_HOLDS = Text("KV cache: {}", "KV 缓存：{}")
_TOKENS = Text("{:,} tokens", "{:,} 个 token")
_EACH = Text("{:.1f} KiB each", "每个 {:.1f} KiB")
_AT_ONCE = Text("{:.2f} requests of {:,} tokens at once", "可同时放下 {:.2f} 个 {:,} token 的请求")
_LACKS = Text(
    "too small: one request of {len:,} tokens needs {needed} GiB", "不够：一个 {len:,} token 的请求需要 {needed} GiB"
)
_DIED = Text("out of memory", "显存不足")
_WANTED = Text("{wanted} more were wanted, {free} of {total} were free", "还要 {wanted}，{total} 中只剩 {free}")
_OWN = Text("this process held {}", "本进程占 {}")
_UNUSED = Text("of them {} reserved and not in use", "其中 {} 已预留未用")
_OTHER = Text("process {} held {}", "进程 {} 占 {}")
_NEIGHBOUR = Text(
    "What other processes hold no flag of this server gives back.", "其他进程占用的显存，改本服务的参数拿不回来。"
)
_LEVERS = Text("which flag moves what (* helps here)", "改哪个参数、变多少（* 对当前问题有用）")
_LONG_TERM = Text("long term", "长期")
_LEVERS_WELL = Text("which flag moves what", "改哪个参数、变多少")
_KV = Text("KV cache {:+.2f} GiB", "KV 缓存 {:+.2f} GiB")
_MORE_TOKENS = Text("{:+,} tokens", "{:+,} token")
_DEVICE_CHANGE = Text("in use {:+.2f} GiB", "占用 {:+.2f} GiB")


def memory_lines(
    account: Account,
    levers: Sequence[Lever],
    held: HeldMemory | None,
    lang: Language,
    width: int,
    plain: bool = False,
) -> Iterator[Line]:
    """The whole screen; `plain` draws bars that a pipe and grep like."""
    yield _head(account, lang)
    if account.ranks > 1:
        yield line("  ", (say(_OF_RANKS, lang).format(account.ranks, account.rank), "dim"))
    if not plain:
        yield from _stacked(account, width)
    yield from _bars(account, lang, width, plain)
    if sentence := _budget(account, lang):
        yield from (line(text) for text in wrapped(sentence, width, "  "))
    if held:
        yield from (line(text) for text in wrapped(_held(account, held, lang), width, "  "))
    yield from _kv(account, lang, width)
    if account.out_of_memory:
        yield from _last_moment(account.out_of_memory, lang)
        if account.stage is Stage.UNKNOWN:
            yield from (line(text) for text in wrapped(say(_NO_START, lang), width, "    "))
    if levers:
        helps = any(lever.helps for lever in levers)
        yield line("  ", (say(_LEVERS if helps else _LEVERS_WELL, lang), "dim"))
    for lever in levers:
        yield from _lever(lever, lang, width)


def _head(account: Account, lang: Language) -> Line:
    total = ABSENT if account.total is None else f"{account.total:.2f}"
    version = f"{account.engine} {account.version}".strip() or say(_SERVER, lang)
    return line((version, "bold"), f"  {say(_HOST if account.on_cpu else _DEVICE, lang)} {total} GiB")


def _stacked(account: Account, width: int) -> Iterator[Line]:
    """The whole device as one bar, in the colours of the parts below; only where it is known."""
    if account.total is None:
        return
    room = min(width - 4, 96)
    spans, filled, so_far = [], 0, 0.0
    for part in account.parts:
        so_far += max(0.0, part.gib or 0.0)
        end = min(room, round(so_far / account.total * room))
        mark = "░" if part.id in ("free", "rest") else "█"
        spans.append((mark * (end - filled), _PARTS[part.id][1]))
        filled = max(filled, end)
    yield line("  ", *spans)


def _bars(account: Account, lang: Language, width: int, plain: bool) -> Iterator[Line]:
    names = {part.id: say(_PARTS[part.id][0], lang) for part in account.parts}
    column = max(cell_len(name) for name in (*names.values(), say(_TOTAL, lang)))
    whole = account.total or sum(part.gib or 0.0 for part in account.parts)
    room = 20 if width < 100 else 36
    for part in account.parts:
        if part.gib is None:
            note = say(part.note, lang)
            yield line("  ", padded(names[part.id], column), "  ", (f"{say(_NOT_KNOWN, lang)}  {note}", "dim"))
            continue
        length = round(max(0.0, part.gib) / whole * room) if whole else 0
        bar = ("#" if plain else "█") * length if part.id not in ("free", "rest") else "." * length
        cells = f"{part.gib:8.2f} GiB {share(part.gib / whole if whole else None):>5}  "
        where = _where(part, lang)
        head = ("  ", padded(names[part.id], column), cells, (padded(bar, room), _PARTS[part.id][1]))
        yield line(*head, "  ", (where, "dim"))
    if account.total is not None:
        yield line("  ", padded(say(_TOTAL, lang), column), f"{account.total:8.2f} GiB")


def _where(part: Part, lang: Language) -> str:
    place = f"{_name(part.file)}:{part.line}" if part.line else ""
    return "  ".join(text for text in (place, say(part.note, lang)) if text)


def _name(file: str) -> str:
    """The file without its folders: every row names it."""
    return file.rsplit("/", 1)[-1]


def _budget(account: Account, lang: Language) -> str:
    if account.agrees is None or account.budget is None or account.total is None:
        return ""
    return say(_BUDGET, lang).format(
        budget=f"{account.budget:.2f}",
        share=f"{account.utilization:g}" if account.utilization is not None else ABSENT,
        total=f"{account.total:.2f}",
        sum=f"{account.budget + (account.off_budget or 0.0):.2f}",
        verdict=say(_AGREES if account.agrees else _DIFFERS, lang),
    )


def _held(account: Account, held: HeldMemory, lang: Language) -> str:
    """What the driver saw, and what of it no line of the log speaks of."""
    text = say(_HELD, lang).format(server=f"{held.server:.2f}", others=f"{held.others:.2f}")
    parts = [account.gib(name) for name in ("weights", "kv-cache", "activations", "outside", "cuda-graphs")]
    if None in parts:
        return text
    return text + say(_BEYOND, lang).format(f"{held.server - sum(part or 0.0 for part in parts):+.2f}")


def _kv(account: Account, lang: Language, width: int) -> Iterator[Line]:
    kv = account.kv
    facts = []
    if kv.tokens is not None:
        facts.append(say(_TOKENS, lang).format(kv.tokens))
    if kv.bytes_per_token is not None:
        facts.append(say(_EACH, lang).format(kv.bytes_per_token / 1024))
    if kv.concurrency is not None and kv.model_len is not None:
        facts.append(say(_AT_ONCE, lang).format(kv.concurrency, kv.model_len))
    if facts:
        joined = ("，" if lang == "zh" else ", ").join(facts)
        yield from (line(text) for text in wrapped(say(_HOLDS, lang).format(joined), width, "  "))
    if account.lacks_kv and kv.model_len is not None and kv.needed_gib is not None:
        text = say(_LACKS, lang).format(len=kv.model_len, needed=f"{kv.needed_gib:.2f}")
        yield line("  ", (text, "bold red"))


def _last_moment(last: OutOfMemory, lang: Language) -> Iterator[Line]:
    words = {
        name: _size(value) for name, value in (("wanted", last.wanted), ("free", last.free), ("total", last.total))
    }
    yield line(
        *("  ", (say(_DIED, lang), "bold red"), "  ", say(_WANTED, lang).format(**words)),
        (f"  {_name(last.file)}:{last.line}", "dim"),
    )
    held = []
    if last.process is not None:
        held.append(say(_OWN, lang).format(_size(last.process)))
    if last.unused is not None:
        held.append(say(_UNUSED, lang).format(_size(last.unused)))
    held += [say(_OTHER, lang).format(pid, _size(size)) for pid, size in last.neighbours]
    if held:
        yield line("    ", ("，" if lang == "zh" else ", ").join(held))
    if last.neighbours:
        yield line("    ", say(_NEIGHBOUR, lang))


def _size(gib: float | None) -> str:
    if gib is None:
        return ABSENT
    return f"{gib:.2f} GiB" if gib >= 1 else f"{gib * 1024:.0f} MiB"


def _lever(lever: Lever, lang: Language, width: int) -> Iterator[Line]:
    changes = []
    if lever.kv_gib is not None:
        changes.append(say(_KV, lang).format(lever.kv_gib))
    if lever.tokens is not None:
        changes.append(say(_MORE_TOKENS, lang).format(lever.tokens))
    if lever.device_gib is not None and lever.kv_gib is None:
        changes.append(say(_DEVICE_CHANGE, lang).format(lever.device_gib))
    if lever.long_term:
        changes.append(say(_LONG_TERM, lang))
    mark = "*" if lever.helps else " "
    numbers = ("，" if lang == "zh" else ", ").join(changes)
    yield line(f"  {mark} ", (padded(lever.flag, 34), "bold green" if lever.helps else ""), f" {numbers}")
    yield from (line((text, "dim")) for text in wrapped(say(lever.effect, lang), width, " " * 6))
