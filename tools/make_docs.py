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
    yield "reference/faults.md", page("Faults", "Every cause that Paramedic can name, and its cures.", faults())


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

RESTART = {
    "cures": "a restart as it was cures it",
    "useless": "a restart fails the same way",
    "unneeded": "a restart would only hurt",
}


def faults() -> Iterator[str]:
    catalogue = importlib.import_module("paramedic.knowledge.catalogue").load_catalogue()
    families: dict[str, list[Any]] = {}
    for fault in catalogue.faults:
        families.setdefault(fault.family, []).append(fault)
    for family in sorted(families):
        yield from [f"## {family}", ""]
        for fault in sorted(families[family], key=lambda fault: str(fault.id)):
            sort = "advice" if fault.advice else f"{fault.level}, {fault.category}"
            yield from [f"### {fault.id}", "", f"{fault.title.en} · {fault.title.zh}", ""]
            yield from [f"{sort}; {RESTART[fault.restart]}.", ""]
            remedies = [catalogue.remedies[name].texts[-1] for name in fault.remedies]
            yield from [*(f"- {text.en} · {text.zh}" for text in remedies), *([""] if remedies else [])]


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
