"""Which database a command is about, and opening it: to look, or to change. Never makes one."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

import typer

from ..changes import Override
from ..engine import Engine
from ..errors import DeclarationError, StoreError
from ..inspect import MASKED
from ..layers import Layer, View
from ..loads import read_rows
from ..scopes import ScopeChain, Stack, Target
from ..settings import registry
from ..specs import ToolSpec, undeclared_tool
from ..store import Row, Store
from ..store.base import VALUED
from ..store.sqlite import SQLiteStore
from ..store.sqlite_reader import SQLiteReader
from ..vault import Vault, is_ciphertext

Owners = dict[str, str]
"""Scope → owner, in the order in which they were given: weakest first."""


def path_of(database: str) -> Path:
    """The file of `sqlite:///app.db`, or of a plain path. Raises BadParameter."""
    if not database:
        raise _bad("names no database: give sqlite:///app.db, or set DATABASE_URL", "--database")
    scheme, separator, rest = database.partition("://")
    if not separator and database != "memory:":
        path = Path(database)
    elif scheme == "sqlite" and rest.startswith("/") and len(rest) > 1 and "?" not in rest:
        path = Path(unquote(rest[1:]))
    else:
        # A URL may hold a password, so it isn't repeated.
        raise _bad("must be an SQLite file: sqlite:///app.db, or its path", "--database")
    if not path.exists():
        raise _bad(f"there is no file {path}", "--database")
    if not path.is_file():
        raise _bad(f"{path} is no file", "--database")
    return path


def owners_of(given: Iterable[str], option: str = "--owner") -> Owners:
    """`["user=ana", "shot=s1"]` as a dict. Raises BadParameter."""
    owners: Owners = {}
    for each in given:
        scope, separator, owner = each.partition("=")
        if not separator or not scope or not owner:
            raise _bad(f"{each!r} isn't SCOPE=OWNER, such as shot=s1", option)
        if scope in owners:
            raise _bad(f"the scope {scope} stands twice", option)
        owners[scope] = owner
    return owners


def one_owner(given: Iterable[str]) -> tuple[str, str]:
    """The one scope and owner that a command is about. Raises BadParameter."""
    owners = owners_of(given)
    if len(owners) != 1:
        raise _bad(f"name one owner, such as shot=s1; here are {len(owners) or 'none'}", "--owner")
    return next(iter(owners.items()))


def load_declarations(modules: Sequence[str]) -> None:
    """Import the modules that declare the app's settings. Raises BadParameter."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    for module in modules:
        try:
            importlib.import_module(module)
        except DeclarationError as error:
            raise _bad(f"{module} declares settings that can't be: {error}", "--import") from None
        except Exception as error:  # noqa: BLE001  # an app's module may raise anything
            raise _bad(f"{module} can't be imported: {error}", "--import") from None


def chain(scopes: str, owners: Mapping[str, str], found: Sequence[str] = ()) -> ScopeChain:
    """The scopes, weakest first: as `--scopes` says, else in the order of the owners, then what
    was found in the data. Raises BadParameter."""
    names = [each.strip() for each in scopes.split(",") if each.strip()]
    option = "--scopes" if names else "--owner"
    try:
        made = ScopeChain(tuple(names or dict.fromkeys([*owners, *found])))
    except DeclarationError as error:
        raise _bad(f"{error.problem}. {error.hint}", option) from None
    if unknown := [scope for scope in owners if scope not in made]:
        raise _bad(f"{unknown[0]} is none of the scopes {', '.join(made)}", "--owner")
    return made


@asynccontextmanager
async def reading(path: Path) -> AsyncGenerator[SQLiteReader]:
    """The file for looking; an app that runs on it goes on undisturbed."""
    store = SQLiteReader(path)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def looking(path: Path, scopes: ScopeChain) -> AsyncGenerator[Engine]:
    """An engine on the file that can't change it."""
    async with reading(path) as store, _running(store, scopes) as engine:
        yield engine


@asynccontextmanager
async def changing(path: Path, scopes: ScopeChain) -> AsyncGenerator[Engine]:
    """An engine on the file, which holds settings already."""
    async with reading(path):
        pass  # nothing is made in a file of something else
    async with _running(SQLiteStore(path), scopes) as engine:
        yield engine


@asynccontextmanager
async def _running(store: Store, scopes: ScopeChain) -> AsyncGenerator[Engine]:
    # No command reads or writes a secret; an engine that knows of one asks for a key.
    has_secrets = any(spec.secret for tool in registry.values() for spec in tool.fields.values())
    key = Vault.new_key() if has_secrets else None
    async with Engine(store, scopes=scopes, key=key, keep_history=None) as engine:
        if not engine.available:
            raise StoreError(engine.problem)
        yield engine


def spec_of(tool: str) -> ToolSpec:
    """The tool as the imported modules declare it, else one whose values are any JSON."""
    return registry.get(tool) or undeclared_tool(tool, "")


async def view_of(store: Store, spec: ToolSpec, stack: Stack) -> View:
    """The stack as it is stored. A secret's value isn't read: `MASKED` stands for it."""
    rows = await store.load(stack)
    return View(spec, [layer_of(target, spec, rows[target]) for target in stack])


def layer_of(target: Target, spec: ToolSpec, rows: Mapping[str, Row]) -> Layer:
    """One target's rows, as today's declaration reads them."""
    layer = Layer(target, spec)
    secret = {name for name, row in rows.items() if _is_secret(spec, name, row)}
    others = {name: row for name, row in rows.items() if name not in secret}
    layer.confirmed, layer.unreadable = read_rows(spec, others, None)
    for name in secret:
        row = rows[name]
        layer.confirmed[name] = Override(
            row.kind, MASKED, row.revision, row.author, row.at, row.note
        )
    return layer


def _is_secret(spec: ToolSpec, name: str, row: Row) -> bool:
    declared = spec.fields.get(name)
    if row.kind not in VALUED:
        return False
    return declared.secret if declared is not None else is_ciphertext(row.text or "")


def quieten() -> None:
    """What the library logs is for servers; here the commands say it themselves."""
    logging.getLogger("persistence").setLevel(logging.CRITICAL + 1)


def _bad(message: str, option: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint=option)
