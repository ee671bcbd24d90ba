"""Writes the pages of docs/ that follow from the code; with --check, only says which of them are stale."""

import ast
import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "paramedic"
NOTE = "<!-- Written by tools/make_docs.py: change the code, then run `make docs`. -->"
LAYERS = """__main__ cli console app pipeline knowledge practice adapters rules diagnosis recovery capacity
ports signals journal model""".split()  # from the top of the house to its ground
WIDTH = 100
VIEWS = """A few seconds after each fault, of a real vLLM 0.32 on the CPU: `make test-real` looks again,
and `make test` holds the practice engine to it."""


def main() -> None:
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, text in pages():
        path = ROOT / "docs" / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name}: written")
    if check and stale:
        sys.exit("".join(f"docs/{name}: stale, run `make docs`\n" for name in stale))


def pages() -> Iterator[tuple[str, str]]:
    yield "map.md", page("The map", "What lies where, from the top of the house to its ground.", house())
    yield "reference/cli.md", page("Commands", "What `paramedic` can be told.", commands())
    yield "reference/events.md", page("Events", "Everything that the journal can say.", events())
    yield "reference/configuration.md", page("Configuration", "Every key of `paramedic.yaml`.", configuration())
    yield "reference/views.md", page("What a watcher sees", VIEWS, views())
    yield "reference/faults.md", page("Faults", "Every cause that Paramedic can name.", faults())
    yield from family_pages()


def page(title: str, sentence: str, lines: Iterator[str]) -> str:
    return "\n".join([f"# {title}", "", NOTE, "", sentence, "", *lines]).rstrip() + "\n"


# What a watcher sees


def views() -> Iterator[str]:
    yield "| fault | `/health` | `/metrics` | API server | what lives on | first alert | cause | of its log alone |"
    yield "|---|---|---|---|---|---|---|---|"
    for file in sorted((ROOT / "tests" / "recordings" / "views").glob("*.json")):
        seen = json.loads(file.read_text(encoding="utf-8"))
        left = ", ".join(seen["left"]) or "nothing"
        cells = (seen["health"], seen["metrics"], seen["server"], left, seen["alert"], seen["cause"], seen["log"])
        yield f"| {file.stem} | " + " | ".join(cells) + " |"


# The map


def house() -> Iterator[str]:
    rooms = [SOURCE / name for name in LAYERS]
    for room in rooms:
        if (room / "__init__.py").exists():
            yield from folder(room)
        elif room.with_suffix(".py").exists():
            path = room.with_suffix(".py")
            yield from [f"## `{path.name}`", "", first_sentence(path), ""]


def folder(path: Path) -> Iterator[str]:
    """A package, its modules, its folders of data, then the packages in it."""
    yield from [f"## `{path.relative_to(SOURCE).as_posix()}/`", "", docstring(path / "__init__.py"), ""]
    modules = sorted(module for module in path.glob("*.py") if module.name != "__init__.py")
    data = sorted(inner for inner in path.iterdir() if inner.is_dir() and not list(inner.glob("*.py")))
    rows = [f"| `{module.name}` | {first_sentence(module)} |" for module in modules]
    rows += [f"| `{inner.name}/` | data: {kinds(inner)} |" for inner in data if kinds(inner)]
    if rows:
        yield from ["| | |", "|---|---|", *rows, ""]
    for inner in sorted(path.iterdir()):
        if (inner / "__init__.py").exists():
            yield from folder(inner)


def kinds(path: Path) -> str:
    """The sorts of file in a folder of data."""
    return ", ".join(
        sorted({f"`*{file.suffix}`" for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc"})
    )


def docstring(path: Path) -> str:
    found = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return found.replace("\n", " ").replace("|", "\\|")


def first_sentence(path: Path) -> str:
    found = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return found.split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


# The commands


def commands() -> Iterator[str]:
    entry = importlib.import_module("paramedic.cli.main")
    yield from command_help(entry.paramedic, "paramedic", 2)
    for name in entry.COMMANDS:
        if importlib.util.find_spec(f"paramedic.cli.{name}"):
            yield from command_help(entry.paramedic.get_command(None, name), f"paramedic {name}", 2)


def command_help(command: click.Command, name: str, depth: int) -> Iterator[str]:
    context = click.Context(
        command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=["-h", "--help"]
    )
    text = command.get_help(context).replace(str(Path.home()), "~")
    yield from [f"{'#' * depth} {name}", "", "```text", *(line.rstrip() for line in text.splitlines()), "```", ""]
    if isinstance(command, click.Group) and name != "paramedic":
        for inner, sub in command.commands.items():
            yield from command_help(sub, f"{name} {inner}", depth + 1)


# The events


def events() -> Iterator[str]:
    """Sections are the plain headings in the module; a comment beside a field tells its meaning."""
    text = (SOURCE / "journal" / "events.py").read_text(encoding="utf-8")
    source = text.splitlines()
    yield from ["`paramedic watch --json` prints one such entry a line: `seq`, `at` (UTC nanoseconds), `type`,"]
    yield from ["`because` (the number of the entry that led to it, or null), and the fields below.", ""]
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name != "Event"]
    line = 0
    for node in classes:
        for heading in source[line : node.lineno - 1]:
            if match := re.fullmatch(r"# (.+)", heading):
                yield from [f"## {match[1]}", ""]
        line = node.end_lineno or line
        yield from [f"### {node.name}", "", ast.get_docstring(node) or "", ""]
        fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
        if fields:
            yield from ["| field | type | |", "|---|---|---|"]
            for field in fields:
                comment = source[field.lineno - 1].partition("  # ")[2]
                kind = ast.unparse(field.annotation).replace("|", "\\|")
                yield f"| `{ast.unparse(field.target)}` | `{kind}` | {comment} |"
            yield ""


# The faults

HEADINGS = {
    "says": "**What is said of it · 诊断说明**",
    "shows": "**How it shows itself (any one of these) · 如何识别（满足任意一条）**",
    "cures": "**What to do · 处理方法**",
}


def knowledge() -> Any:
    return importlib.import_module("paramedic.knowledge.catalogue").load_catalogue()


def by_family() -> dict[str, list[Any]]:
    families: dict[str, list[Any]] = {}
    for fault in sorted(knowledge().faults, key=lambda fault: str(fault.id)):
        families.setdefault(fault.family, []).append(fault)
    return dict(sorted(families.items()))


def faults() -> Iterator[str]:
    """The list, with a link to each."""
    yield from ["`paramedic knowledge show ID` tells the same; [how to add one](../how-to/add-a-fault.md).", ""]
    for family, members in by_family().items():
        yield from [f"## {family}", "", "| fault | | level |", "|---|---|---|"]
        for fault in members:
            sort = "advice" if fault.advice else fault.level
            yield f"| [{fault.id}](faults/{family}.md#{fault.id}) | {both(fault.title)} | {sort} |"
        yield ""
    yield from ["## Numbers", ""]
    for table in knowledge().tables.values():
        yield f"- [{table.id}](faults/{table.id}.md): {table.source}"


def family_pages() -> Iterator[tuple[str, str]]:
    catalogue = knowledge()
    for family, members in by_family().items():
        lines = (line for fault in members for line in fault_page(fault, catalogue))
        yield f"reference/faults/{family}.md", page(f"Faults: {family}", "How each shows itself, and its cures.", lines)
    for table in catalogue.tables.values():
        yield f"reference/faults/{table.id}.md", page(f"Numbers: {table.id}", table.source, numbers(table))


def fault_page(fault: Any, catalogue: Any) -> Iterator[str]:
    describe = importlib.import_module("paramedic.knowledge.describe")
    sort = "advice" if fault.advice else f"{fault.level}, {fault.category}"
    yield from [f"## {fault.id}", "", both(fault.title), ""]
    yield from [f"{sort}; {both(describe.RESTARTS[fault.restart])}.", "", HEADINGS["says"], ""]
    yield from [*(f"- {both(text)}" for text in fault.summaries), "", HEADINGS["shows"], ""]
    for sight in fault.sights:
        clues = [f"{both(clue.about)} {clue.quoted}".strip() for clue in describe.clues(sight)]
        yield f"- {'; '.join(clues)}"
    if fault.ask:
        yield f"- No program can see it: {both(fault.ask)}"
    yield from ["", HEADINGS["cures"], ""]
    for name in describe.cures(fault):
        remedy = catalogue.remedies[name]
        flags = "".join(f" `{flag}`" for flag in remedy.flags)
        yield f"- {both(remedy.texts[-1])}{flags}"
    if fault.table:
        yield from ["", f"What each number means: [{fault.table.id}]({fault.table.id}.md)."]
    yield from ["", f"Source: {fault.source}", ""]


def numbers(table: Any) -> Iterator[str]:
    """Rows of one meaning in one line."""
    families = {fault.id: fault.family for fault in knowledge().faults}
    grouped: dict[Any, list[int]] = {}
    for number, row in sorted(table.rows.items()):
        grouped.setdefault(row, []).append(number)
    yield from ["| number | meaning | what is to be done | our fault |", "|---|---|---|---|"]
    for row, found in grouped.items():
        fault = f"[{row.fault}]({families[row.fault]}.md#{row.fault})" if row.fault else ""
        told = "none: harmless" if row.harmless else fault
        yield f"| {ranges(found)} | {both(row.meaning)} | {both(row.action)} | {told} |"


def ranges(found: list[int]) -> str:
    """1, 2, 3, 7 as `1-3, 7`."""
    parts: list[list[int]] = []
    for number in found:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def both(text: Any) -> str:
    return f"{text.en} · {text.zh}"


# The configuration

SHOWN = {  # the names of types as the reader of a YAML file knows them
    "Seconds": "duration: 5s, 15m, 1h",
    "EngineUrl": "URL",
    "WebhookUrl": "URL",
    "ModeName": "observe, ask or act",
    "Secret": "{env: NAME} or {file: PATH}",
    "ExistingPath": "path",
    "NotifierConfig": "[Webhook](#webhook), [Email](#email) or [Terminal](#terminal)",
    "HostName": "name of a machine",
    "MailAddress": "mail address",
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true or false",
}


def configuration() -> Iterator[str]:
    """One table a section. A comment beside a field tells its meaning; types and defaults are those of the model."""
    path = SOURCE / "app" / "config.py"
    source = path.read_text(encoding="utf-8")
    module = importlib.import_module("paramedic.app.config")
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    whole = module.Config
    yield from section(whole, classes["Config"], source.splitlines())
    parts = [getattr(module, name) for name in classes if name not in ("Config", "Section", "Secret", "Context")]
    for part in parts:
        yield from [f"## {part.__name__.removesuffix('Config')}", "", docstring_of(classes[part.__name__]), ""]
        yield from section(part, classes[part.__name__], source.splitlines())


def section(model: Any, node: ast.ClassDef, source: list[str]) -> Iterator[str]:
    yield from ["| key | value | default | |", "|---|---|---|---|"]
    for field in node.body:
        if isinstance(field, ast.AnnAssign):
            name = ast.unparse(field.target)
            comment = source[field.lineno - 1].partition("  # ")[2]
            yield f"| `{name}` | {kind(field.annotation)} | {default(model.model_fields[name])} | {comment} |"
    yield ""


def kind(annotation: ast.expr) -> str:
    text = ast.unparse(annotation).replace(" | None", "")
    if match := re.fullmatch(r"tuple\[(\w+), \.\.\.\]", text):
        return f"list of {shown(match[1])}"
    if match := re.fullmatch(r"Literal\[(.+)\]", text):
        return match[1].replace("'", "").replace(", ", " or ")
    return shown(text)


def shown(name: str) -> str:
    """A plain type by its name, another section as a link to it."""
    plain = name.removesuffix("Config")
    return SHOWN.get(name) or f"[{plain}](#{plain.lower()})"


def default(field: Any) -> str:
    if field.is_required():
        return "must be given"
    found = field.get_default(call_default_factory=True)
    if found is None or found == () or isinstance(found, BaseModel):
        return ""
    return f"`{str(found).lower() if isinstance(found, bool) else found}`"


def docstring_of(node: ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").replace("\n", " ")


if __name__ == "__main__":
    main()
