"""Layered configuration: a TOML file, then `SIAGA_*` variables, then options.

The schema is a tree of msgspec Structs. A key that the schema does not know is an error that
names the line and the nearest known key, because a misspelt setting that is silently ignored
is found on the day it is needed.
"""

import difflib
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from siaga.errors import ConfigurationError

Schema = TypeVar("Schema", bound=msgspec.Struct)
StructType = type[msgspec.Struct]
Tree = dict[str, object]
Key = tuple[str, ...]

ENVIRONMENT_PREFIX = "SIAGA_"
# Read by the command line and by the tests, not settings of a deployment.
RESERVED_VARIABLES = frozenset({"SIAGA_DATA", "SIAGA_SHARED"})

_TABLE = re.compile(r"^\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"^\s*([A-Za-z0-9_\-\.\"']+)\s*=")


def load(
    schema: type[Schema],
    path: Path,
    environment: Mapping[str, str],
    options: Mapping[Key, object],
) -> Schema:
    """Read `path`, lay the environment and the options over it, and convert to `schema`.

    Raises:
        ConfigurationError: naming the file and line, variable or option, and the nearest key.

    """
    text = _read(path)
    tree = _parse(text, path)
    _refuse_unknown(tree, schema, path, text)
    known = {_variable(key): key for key in leaves(schema)}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in RESERVED_VARIABLES:
            continue
        if variable not in known:
            raise ConfigurationError(
                "unknown variable",
                source=variable,
                key=variable,
                nearest=_nearest(variable, known),
            )
        _lay(tree, known[variable], _environment_value(value))
    for option, chosen in options.items():
        _lay(tree, option, chosen)
    return _convert(tree, schema, path, text, environment)


def leaves(schema: StructType, prefix: Key = ()) -> Iterator[Key]:
    """Yield the keys of every setting, tables left out."""
    for name, kind in _fields(schema).items():
        nested = _struct_in(kind)
        if nested is None:
            yield (*prefix, name)
        else:
            yield from leaves(nested, (*prefix, name))


def line_of(key: Key, text: str) -> int | None:
    """Line (from 1) on which a key or table of a TOML text stands, if it can be seen."""
    table: Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _TABLE.match(line)
        if header:
            table = _dotted(header.group(1))
            if table == key:
                return number
            continue
        assignment = _ASSIGNMENT.match(line)
        if assignment and (*table, *_dotted(assignment.group(1))) == key:
            return number
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"can't be read: {error}", source=str(path)) from error


def _parse(text: str, path: Path) -> Tree:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found.group(1)) if found else None
        message = str(error).partition(" (at")[0]
        raise ConfigurationError(message, source=str(path), line=line) from error


def _refuse_unknown(
    tree: Tree, schema: StructType, path: Path, text: str, prefix: Key = ()
) -> None:
    fields = _fields(schema)
    for name, value in tree.items():
        key = (*prefix, name)
        if name not in fields:
            known = {".".join((*prefix, field)) for field in fields}
            raise ConfigurationError(
                f"unknown key '{'.'.join(key)}'",
                source=str(path),
                key=".".join(key),
                line=line_of(key, text),
                nearest=_nearest(".".join(key), known),
            )
        nested = _struct_in(fields[name])
        if nested is not None and isinstance(value, dict):
            _refuse_unknown(value, nested, path, text, key)


def _convert(
    tree: Tree,
    schema: type[Schema],
    path: Path,
    text: str,
    environment: Mapping[str, str],
) -> Schema:
    try:
        # Not strict: a variable of the environment is always a string.
        return msgspec.convert(tree, schema, strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        key = tuple(re.findall(r"\.([A-Za-z0-9_]+)", place))
        variable = _variable(key)
        from_environment = variable in environment
        raise ConfigurationError(
            f"'{'.'.join(key)}': {message}" if key else message,
            source=variable if from_environment else str(path),
            key=".".join(key),
            line=None if from_environment else line_of(key, text),
        ) from error


def _lay(tree: Tree, key: Key, value: object) -> None:
    table = tree
    for name in key[:-1]:
        below = table.setdefault(name, {})
        if not isinstance(below, dict):
            return  # the schema's own check names the fault
        table = below
    table[key[-1]] = value


def _environment_value(text: str) -> object:
    """Read lists and tables as TOML does; take anything else as it stands."""
    if text[:1] in {"[", "{"}:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text


def _fields(schema: StructType) -> dict[str, object]:
    return typing.get_type_hints(schema)


def _struct_in(kind: object) -> StructType | None:
    """Return the Struct that a field's type is, or may be beside None."""
    union = typing.get_origin(kind) in {typing.Union, types.UnionType}
    for candidate in typing.get_args(kind) if union else (kind,):
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return candidate
    return None


def _variable(key: Key) -> str:
    return ENVIRONMENT_PREFIX + "_".join(key).upper()


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)), None)


def _dotted(text: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in text.split("."))
