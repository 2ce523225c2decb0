"""`export` and `import`: an owner's settings out as JSON or TOML, and in again after a look."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from .. import exchange
from ..formats import Form
from ..plans import WORDS, Opinion, Plan
from ..scopes import ScopeChain
from ..settings import registry
from .database import changing, looking
from .output import Problem, plain, say, show_json, show_table, value_text, warn

STANDARD = "-"
"""In place of a file: what comes in, or goes out, by a pipe."""

KINDS = {"pin": " (pinned)", "policy": " (policy)"}


async def text_of_owner(
    path: Path, scope: str, owner: str, *, tools: Sequence[str], form: Form
) -> str:
    """What the owner overrides, as a document's text."""
    async with looking(path, ScopeChain((scope,))) as engine:
        held = await engine.store.tools(scope, owner)
        if missing := [tool for tool in tools if tool not in held]:
            raise Problem(f"--tool: {scope} {owner} holds nothing of {missing[0]}", code=2)
        if unknown := [tool for tool in tools or held if tool not in registry]:
            warn(f"Nothing declares {', '.join(unknown)}: written as stored (see --import)")
        return await exchange.export_text(
            engine, scope, owner, actor="", form=form, tools=tools or None
        )


def put(text: str, output: str) -> None:
    """To a file, or to stdout."""
    if output == STANDARD:
        sys.stdout.write(text)
    else:
        Path(output).write_text(text, encoding="utf-8")
        warn(f"Written to {output}")


async def import_owner(
    path: Path,
    scope: str,
    owner: str,
    text: str,
    *,
    tools: Sequence[str],
    form: Form | None,
    author: str,
    agrees: bool | None,
    as_json: bool,
) -> None:
    """Show what the document would change, ask unless that is settled, and make the changes.

    `agrees` is True for --yes, False for --dry-run, None to ask.
    """
    document = await exchange.read_text(text, form)
    scopes = ScopeChain((scope,))
    async with looking(path, scopes) as engine:
        plan = await exchange.plan_import(
            engine, scope, owner, document, actor=author, tools=tools or None
        )
    if not as_json:
        show_plan(plan, f"{scope} {owner}")
    group = ""
    if agrees is not False and not plan.is_empty and (agrees or _asks()):
        async with changing(path, scopes) as engine:
            group = await engine.apply(plan, actor=author)
    if as_json:
        show_json(plan_json(plan) | {"applied": bool(group), "group": group or None})
    elif group:
        say("", f"Imported: {plan.summary()}.")
    elif not plan.is_empty:
        say("", "Nothing was changed.")


def _asks() -> bool:
    return typer.confirm("Make these changes?", err=True)


def show_plan(plan: Plan, where: str) -> None:
    """What would change, and what is left out and why."""
    if plan.edits:
        rows = [
            [edit.target.tool, edit.field, Text(opinion_text(edit.before), style="dim"),
             Text(opinion_text(edit.after), style="green")]
            for edit in plan.edits
        ]  # fmt: skip
        show_table(f"Changes of {where}", ["Tool", "Setting", "Now", "Then"], rows)
    if plan.skipped:
        if plan.edits:
            say("")
        rows = [[s.target.tool, s.field, WORDS[s.why], s.detail] for s in plan.skipped]
        show_table("Left out", ["Tool", "Setting", "Why", "More"], rows)
    if plan.is_empty:
        say("", "Nothing would change.")


def opinion_text(opinion: Opinion) -> str:
    """What a layer says, in words."""
    if opinion.kind == "reset":
        return "inherited"
    if opinion.kind == "block":
        return "blocked"
    return value_text(opinion.value) + KINDS.get(opinion.kind, "")


def plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "title": plan.title,
        "summary": plan.summary(),
        "edits": [
            {
                "scope": edit.target.scope,
                "owner": edit.target.owner,
                "tool": edit.target.tool,
                "field": edit.field,
                "before": opinion_json(edit.before),
                "after": opinion_json(edit.after),
            }
            for edit in plan.edits
        ],
        "skipped": [
            {"tool": s.target.tool, "field": s.field, "why": s.why, "detail": s.detail}
            for s in plan.skipped
        ],
    }


def opinion_json(opinion: Opinion) -> dict[str, Any]:
    return {"kind": opinion.kind, "value": plain(opinion.value)}
