"""From which pages a WebSocket and operations are taken.

Those of the host that the request names, and those that the app allows. Reflex itself takes a
socket from any site's page, and lets any read its answers, where its configuration says nothing;
with the plugin that is closed, and `cors_allowed_origins` or `allowed_origins` open it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from ..http import is_own_origin

log = logging.getLogger("persistence")

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


class Origins:
    """Knows which pages are the app's."""

    def __init__(self, allowed: Collection[str], *, is_development: bool = False) -> None:
        """`allowed` are other origins, "*" for all. In development page and server have a port
        each: there the host's name decides."""
        self.allowed, self.is_development = tuple(allowed), is_development

    def tell(self) -> None:
        """Say once, at the start, what is open."""
        if "*" in self.allowed:
            log.warning(
                "pages of any site may open a WebSocket here and act for who is signed in: "
                "allowed_origins or cors_allowed_origins is '*'. Name the origins instead."
            )
        elif self.allowed and not self.is_development:
            log.info("besides its own pages, those of %s are let in", ", ".join(self.allowed))

    def is_ours(self, scope: Scope, headers: Headers) -> bool:
        """May who sends this act for its cookies? So may who is no page at all."""
        del scope
        if is_own_origin(headers, self.allowed):
            return True
        return self.is_development and _is_same_machine(
            headers.get("origin", ""), headers.get("host", "")
        )


def _is_same_machine(origin: str, host: str) -> bool:
    try:
        theirs, ours = urlsplit(origin).hostname, urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return bool(theirs) and (theirs == ours or {theirs, ours} <= _LOOPBACK)
