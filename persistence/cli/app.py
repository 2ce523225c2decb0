"""The commands and their options. Each one's work is in a module of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from ..errors import PersistenceError
from . import kept, looks, moves, upkeep
from .database import chain, load_declarations, one_owner, owners_of, path_of, quieten
from .output import Problem, warn

T = TypeVar("T")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Look into a database of settings, move them in and out, keep it tidy.",
    epilog="Set DATABASE_URL, or give each command --database. Commands that look go beside a "
    "running app and change nothing.",
)

Database = Annotated[
    str,
    typer.Option("--database", "-d", envvar="DATABASE_URL", show_envvar=True,
                 help="sqlite:///app.db, or the path of the file."),
]  # fmt: skip
Scopes = Annotated[
    str,
    typer.Option("--scopes", metavar="NAMES", help="All scopes, weakest first: user,project,shot. "
                 "If not given: in the order of the owners."),
]  # fmt: skip
Modules = Annotated[
    list[str],
    typer.Option("--import", "-i", metavar="MODULE", help="A module that declares the settings, so "
                 "that types, defaults and titles are known. May stand several times."),
]  # fmt: skip
Owner = Annotated[
    list[str],
    typer.Option("--owner", "-o", metavar="SCOPE=OWNER", help="Whose settings, such as shot=s1. "
                 "May stand several times, weakest scope first; or write them without --owner."),
]  # fmt: skip
Tools = Annotated[
    list[str],
    typer.Option("--tool", "-t", metavar="TOOL", help="Only this tool. May stand several times."),
]
Format = Annotated[
    Literal["json", "toml"] | None,
    typer.Option("--format", "-f", help="If not given: as the file looks, else JSON."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Search = Annotated[str, typer.Option("--search", "-s", help="Only what contains this text.")]
OnlySet = Annotated[bool, typer.Option("--set", help="Only settings that some layer sets.")]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Carry it out; what can't be done is said on stderr, in one line, with exit code 1."""
    try:
        return asyncio.run(work)
    except (PersistenceError, Problem) as error:
        warn(f"Error: {error}")
        raise typer.Exit(getattr(error, "code", 1)) from None


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Arguments without and with `=`: names, and owners."""
    return [each for each in words if "=" not in each], [each for each in words if "=" in each]


@app.command("inspect")
def inspect_command(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOOL|SCOPE=OWNER", show_default=False, help="A tool, owners, or both."
        ),
    ] = None,
    database: Database = "",
    owner: Owner = [],  # noqa: B006  # typer reads it and never changes it
    scopes: Scopes = "",
    modules: Modules = [],  # noqa: B006
    owners_at: Annotated[
        str, typer.Option("--owners-of", metavar="SCOPE", help="List who has settings there.")
    ] = "",
    mute: Annotated[
        list[str],
        typer.Option("--mute", metavar="SCOPE", help="As if this layer said nothing."),
    ] = [],  # noqa: B006
    only_set: OnlySet = False,
    search: Search = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Rows at most.")] = 100,
    after: Annotated[
        str, typer.Option("--after", help="With --owners-of: from behind this one.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show what a database holds: scopes, owners, tools, and the whole stack of a tool.

    [bold]Examples[/bold]

    inspect · the scopes, and how many have settings there

    inspect --owners-of shot · who has settings at a scope

    inspect shot=s1 · all that one owner holds

    inspect travel-ui-state · who holds something of a tool

    inspect travel-ui-state user=ana project=harbour shot=s1 · its whole stack

    inspect travel-ui-state project=harbour shot=s1 --mute shot · what would be without the shot
    """  # fmt: skip
    path = _start(database, modules)
    tools, pairs = split(what or [])
    owners = owners_of([*owner, *pairs])
    if len(tools) > 1:
        raise typer.BadParameter(f"one tool at a time, not {', '.join(tools)}", param_hint="TOOL")
    if muted := [each for each in mute if each not in owners]:
        raise typer.BadParameter(f"{muted[0]} is none of the owners' scopes", param_hint="--mute")
    if tools and owners:
        names = chain(scopes, owners)
        return run(
            looks.show_stack(path, tools[0], owners, names, muted=mute, only_set=only_set,
                             search=search, as_json=as_json)
        )  # fmt: skip
    if tools:
        return run(looks.show_tool(path, tools[0], limit=limit, as_json=as_json))
    if owners:
        return run(looks.show_held(path, owners, search=search, as_json=as_json))
    if owners_at:
        return run(looks.show_owners(path, owners_at, after=after, limit=limit, as_json=as_json))
    return run(looks.show_scopes(path, as_json=as_json))


@app.command()
def explain(
    tool: Annotated[str, typer.Argument(help="The tool’s id.", show_default=False)],
    field: Annotated[str, typer.Argument(help="The setting’s name.", show_default=False)],
    owners: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCOPE=OWNER", help="Owners.", show_default=False),
    ] = None,
    database: Database = "",
    owner: Owner = [],  # noqa: B006
    scopes: Scopes = "",
    modules: Modules = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Tell where a value comes from: what each layer says, who wrote it when, what changed lately.

    [bold]Example[/bold]

    explain travel-ui-state frames --owner user=ana project=harbour shot=s1
    """
    path = _start(database, modules)
    given = owners_of([*owner, *(owners or [])])
    if not given:
        raise typer.BadParameter("say whose: --owner shot=s1", param_hint="--owner")
    run(looks.explain(path, tool, field, given, chain(scopes, given), as_json=as_json))


@app.command("export")
def export_command(
    owners: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCOPE=OWNER", help="Whose settings.", show_default=False),
    ] = None,
    database: Database = "",
    owner: Owner = [],  # noqa: B006
    modules: Modules = [],  # noqa: B006
    tool: Tools = [],  # noqa: B006
    form: Format = None,
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="Write there instead of to stdout.")
    ] = moves.STANDARD,
) -> None:
    """Write what one owner overrides as a document, JSON or TOML. Secrets stay out.

    [bold]Examples[/bold]

    export shot=s1 --import studio.settings

    export shot=s1 --import studio.settings --tool travel-ui-state --output s1.toml
    """
    path = _start(database, modules)
    scope, whose = one_owner([*owner, *(owners or [])])
    if output != moves.STANDARD and Path(output).exists():
        raise typer.BadParameter(f"{output} is there already", param_hint="--output")
    if output != moves.STANDARD and not Path(output).absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder for {output}", param_hint="--output")
    form = form or _form_of(output) or "json"
    moves.put(run(moves.text_of_owner(path, scope, whose, tools=tool, form=form)), output)


@app.command("import")
def import_command(
    file: Annotated[
        str, typer.Argument(help="A JSON or TOML file, or - for stdin.", show_default=False)
    ],
    owners: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCOPE=OWNER", help="Into whose settings.", show_default=False),
    ] = None,
    database: Database = "",
    owner: Owner = [],  # noqa: B006
    modules: Modules = [],  # noqa: B006
    tool: Tools = [],  # noqa: B006
    form: Format = None,
    author: Annotated[
        str, typer.Option("--author", help="Who is said to have made the changes.")
    ] = "command line",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don’t ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set what a document holds as one owner’s settings. Shows what changes, then asks.

    All of it is made as one action, which can be undone as one; what doesn’t fit is left out and
    listed. What the document doesn’t mention stays. An app that runs on the same file sees the
    changes when it loads these settings next.

    [bold]Examples[/bold]

    import s1.toml shot=s2 --import studio.settings --dry-run

    import s1.toml shot=s2 --import studio.settings --yes
    """
    path = _start(database, modules)
    scope, whose = one_owner([*owner, *(owners or [])])
    if not modules:
        raise typer.BadParameter(
            "name the module that declares the settings: what comes in is checked by it",
            param_hint="--import",
        )
    if yes and dry_run:
        raise typer.BadParameter("either that or --dry-run", param_hint="--yes")
    if file == moves.STANDARD and not (yes or dry_run):
        raise typer.BadParameter(
            "needed with -, since stdin can’t answer the question then", param_hint="--yes"
        )
    run(
        moves.import_owner(
            path, scope, whose, _text_of(file), tools=tool, form=form or _form_of(file),
            author=author, agrees=True if yes else False if dry_run else None, as_json=as_json,
        )
    )  # fmt: skip


def _form_of(file: str) -> Literal["json", "toml"] | None:
    forms: dict[str, Literal["json", "toml"]] = {".json": "json", ".toml": "toml"}
    return forms.get(Path(file).suffix)


def _text_of(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == moves.STANDARD else Path(file).read_bytes()
        return raw.decode()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} isn’t text in UTF-8", param_hint="FILE") from None


@app.command()
def prune(
    database: Database = "",
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="90d, 12h or 2w.")
    ] = "90d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go, in a copy; remove nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old history that nothing needs any more: no setting changes, no named moment is lost.

    The app may go on running.

    [bold]Examples[/bold]

    prune --dry-run · what would go

    prune --older-than 30d
    """
    path = _start(database, [])
    run(upkeep.prune(path, older_than=upkeep.seconds_of(older_than), dry_run=dry_run,
                     as_json=as_json))  # fmt: skip


@app.command()
def doctor(database: Database = "", modules: Modules = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Check a database and say what to do. Changes nothing; exit code 1 where there is an error.

    With the app’s declarations it also reads every value and tells of those that don’t fit.

    [bold]Examples[/bold]

    doctor

    doctor --import studio.settings
    """
    path = _start(database, modules)
    run(upkeep.doctor(path, as_json=as_json))


@app.command()
def quarantine(
    database: Database = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove what is shown, after it was shown.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what nobody could read, as it was when an edit took its place.

    [bold]Examples[/bold]

    quarantine

    quarantine --json > kept.json
    """
    path = _start(database, [])
    run(kept.show_quarantine(path, remove=remove, as_json=as_json))


def _start(database: str, modules: list[str]) -> Path:
    """What every command begins with: its file, the declarations, silence of the library."""
    quieten()
    path = path_of(database)
    load_declarations(modules)
    return path
