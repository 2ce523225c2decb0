"""ASK: may somebody save something? The app's `authorise` says so, in time or not at all.

- Everything that waits for answers asks at the same time: one that hangs costs others that wait.
- What fails or hangs is no refusal: nobody can tell, and the edit waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .errors import PermissionDenied, StoreError
from .scopes import Target

if TYPE_CHECKING:
    from .engine import Engine

CANT_TELL = "the app can't tell just now who may save this"

TOGETHER = 100
"""Questions that are asked at the same time."""
ANSWER_WITHIN, AT_LEAST = 10.0, 1.0
"""Seconds that the app has for all that leaves together; and for those asked about in a later turn
at least."""

Key = tuple[str, str, str]
"""Author, scope and owner."""

log = logging.getLogger("persistence")


def key_of(author: str, target: Target) -> Key:
    return author, target.scope, target.owner


async def may_save(
    engine: Engine, author: str, target: Target, field: str = "", *, until: float | None = None
) -> str | None:
    """Why the app doesn't allow it; "" where it does, None where it can't tell.

    `until` is of the loop's clock; without it whoever asks ends the wait. Raises StoreError where
    what the app asks is away.
    """
    try:
        async with asyncio.timeout_at(until):
            await engine.permit(author, "write", target, field)
    except PermissionDenied as error:
        return error.problem
    except StoreError:
        raise
    except TimeoutError:
        log.warning("authorise didn't answer in time for %s", target)
        return None
    except Exception:
        log.exception("authorise failed for %s", target)
        return None
    return ""


async def may_all_save(
    engine: Engine, asked: Iterable[tuple[str, Target]]
) -> dict[Key, str | None]:
    """The same for each author and owner, once; None also where what the app asks is away."""
    targets = {key_of(author, target): target for author, target in asked}
    found: dict[Key, str | None] = {}
    clock = asyncio.get_running_loop().time
    end = clock() + ANSWER_WITHIN
    keys = list(targets)
    for begin in range(0, len(keys), TOGETHER):
        some, until = keys[begin : begin + TOGETHER], max(end, clock() + AT_LEAST)
        questions = [_or_none(engine, key[0], targets[key], until) for key in some]
        if len(questions) == 1:
            found[some[0]] = await questions[0]
        else:
            found.update(zip(some, await asyncio.gather(*questions), strict=True))
    return found


async def _or_none(engine: Engine, author: str, target: Target, until: float) -> str | None:
    try:
        return await may_save(engine, author, target, until=until)
    except StoreError:
        return None
