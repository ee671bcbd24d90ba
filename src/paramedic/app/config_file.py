"""Finding and reading `paramedic.yaml`: every mistake at once, and of each value where it came from."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paramedic.journal.plain import to_plain
from paramedic.knowledge.yaml_file import Where, YamlFile, near, read_yaml
from paramedic.model.errors import InvalidFiles, Problem

if TYPE_CHECKING:
    from paramedic.app.config import Config

FILE_NAME = "paramedic.yaml"
CONFIG_VARIABLE = "PARAMEDIC_CONFIG"
DATA_VARIABLE = "PARAMEDIC_DATA"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that is in order. `origins`: dotted key -> "default", "file:line", "$VARIABLE" or "--option"."""

    config: "Config"
    path: Path | None
    origins: dict[str, str]


def search_path(environ: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """Where a configuration is looked for when none is named, in this order."""
    yield Path.cwd() / FILE_NAME
    if home := environ.get("HOME"):
        yield Path(home) / ".config" / "paramedic" / FILE_NAME
    yield Path("/etc/paramedic") / FILE_NAME


def find(explicit: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file to read; None where there is none. A named one that is not there raises InvalidFiles."""
    named = explicit or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is None:
        return next((path for path in search_path(environ) if _is_file(path)), None)
    if not _is_there(named):
        asked = "" if explicit else f"it is named by ${CONFIG_VARIABLE}"
        raise InvalidFiles([Problem(str(named), 0, "there is no such file", asked or near(named))])
    return named


def load(
    explicit: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    options: Mapping[str, object] | None = None,
) -> Loaded:
    """The configuration in force: defaults, below the file, below the environment, below `options`.

    `options` holds top-level keys (`{"interval": "2s", "data_dir": "/x"}`); those that are None were not given.
    Raises InvalidFiles with every mistake.
    """
    # pydantic takes 100 ms to import: commands that only look for the data folder do without it.
    from pydantic import ValidationError

    from paramedic.app.config import Config, Context
    from paramedic.app.config_problems import duplicates, problems

    path = find(explicit, environ)
    file = read_yaml(path) if path else YamlFile("", {})
    file.data = {} if file.data is None else file.data
    if not isinstance(file.data, dict):
        raise InvalidFiles([Problem(file.name, 1, "must hold keys and values", "for example: interval: 5s")])
    overrides = _overrides(environ, options or {})
    origins = {key: origin for key, (_, origin) in overrides.items()}
    data = file.data | {key: value for key, (value, _) in overrides.items()}
    found = list(duplicates(file))
    try:
        config = Config.model_validate(data, context=Context(path.absolute().parent if path else Path.cwd(), environ))
    except ValidationError as error:
        found = [*problems(error, file, origins), *found]
    if found:
        raise InvalidFiles(sorted(found, key=lambda problem: problem.line))
    places = {dotted_key: _origin(file, where, origins) for dotted_key, where, _ in leaves(config)}
    return Loaded(config, path, places)


def data_dir_of_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The `data_dir` of the configuration that would be found, without judging the rest of the file."""
    found = _paths_of_file("data_dir", environ)
    return found[0] if found else None


def knowledge_of_file(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The `knowledge` folders of the configuration that would be found, without judging the rest of the file."""
    return _paths_of_file("knowledge", environ)


def _paths_of_file(key: str, environ: Mapping[str, str]) -> tuple[Path, ...]:
    path = find(None, environ)
    data = read_yaml(path).data if path else None
    value = data.get(key) if isinstance(data, dict) else None
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(path.absolute().parent / Path(name).expanduser() for name in names if path and isinstance(name, str))


def leaves(value: Any, where: Where = ()) -> Iterator[tuple[str, Where, Any]]:
    """(dotted key, place, value) of every value of a configuration; a secret is one value."""
    from paramedic.app.config import Secret, Section
    from paramedic.app.config_problems import dotted

    if isinstance(value, Section) and not isinstance(value, Secret):
        for name in type(value).model_fields:
            yield from leaves(getattr(value, name), (*where, name))
    elif isinstance(value, tuple) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*where, index))
    else:
        yield dotted(where), where, value


def shown_values(config: "Config") -> Iterator[tuple[str, Any]]:
    """(dotted key, plain value) of every value, fit for other people's eyes."""
    from paramedic.app.config import Secret, shown_url

    for key, where, value in leaves(config):
        if isinstance(value, Secret):
            yield key, str(value)
        elif where[0] == "notifiers" and where[-1] == "url":
            yield key, shown_url(value)  # a webhook's address often is its key
        else:
            yield key, list(value) if isinstance(value, tuple) else to_plain(value)


def _overrides(environ: Mapping[str, str], options: Mapping[str, object]) -> dict[str, tuple[object, str]]:
    given: dict[str, tuple[object, str]] = {}
    if folder := environ.get(DATA_VARIABLE):
        given["data_dir"] = (folder, f"${DATA_VARIABLE}")
    for key, value in options.items():
        if value is not None:
            given[key] = (value, "--" + key.replace("_", "-"))
    if "data_dir" in given:  # relative to where the command runs, not to the file
        folder_given, origin = given["data_dir"]
        given["data_dir"] = (str(Path(str(folder_given)).expanduser().absolute()), origin)
    return given


def _origin(file: YamlFile, where: Where, origins: Mapping[str, str]) -> str:
    if origin := origins.get(str(where[0])):
        return origin
    return f"{file.name}:{file.lines[where]}" if where in file.lines else "default"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # a folder that we may not enter


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # and reading it will say what is in the way
