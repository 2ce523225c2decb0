"""What the routes take and give: JSON bodies of a few texts, and problems as RFC 9457 has them.

A problem's `errors` name the fields (`[{"field": "password", "detail": "…"}]`), for forms to show
beside them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import wraps

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from persistence import PersistenceError
from workbench.accounts.limits import TooMany
from workbench.accounts.passwords import Busy
from workbench.accounts.resets import LinkGone
from workbench.accounts.signing import HasAccount, Refusals, WrongPassword
from workbench.database import Unavailable
from workbench.names import Refused

log = logging.getLogger("workbench.accounts")

BODY_LIMIT = 20_000
"""Bytes: a name and two passwords of the largest size, however they are written."""

PRIVATE = {"cache-control": "no-store"}

Handler = Callable[[Request], Awaitable[Response]]


class NotSignedIn(Exception):
    """Only an account may do this."""


class NotTaken(Exception):
    """What was sent can't be read. `status` says in which way."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def answered(handler: Handler) -> Handler:
    """The handler, with a problem as the answer to each way to fail."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except (Refused, Refusals) as error:
            return problem(422, "Not possible", f"{error}.", errors=_errors(error))
        except WrongPassword as error:
            return problem(
                401, "Not signed in", str(error), errors=[error_of("password", str(error))]
            )
        except NotSignedIn:
            return problem(
                401, "Not signed in", "Sign in first.", headers={"www-authenticate": "Bearer"}
            )
        except TooMany as error:
            return problem(
                429, "Too many attempts", str(error), headers={"retry-after": str(error.seconds)}
            )
        except HasAccount as error:
            return problem(409, "There is an account by now", str(error))
        except LinkGone as error:
            return problem(410, "The link is gone", str(error))
        except NotTaken as error:
            return problem(error.status, "Not readable", str(error))
        except Busy:
            again = "Many people are signing in at this moment. Try again in a few seconds."
            return problem(503, "Busy", again, headers={"retry-after": "2"})
        except (Unavailable, PersistenceError) as error:
            log.warning("the database is away: %s", error)
            away = "Nothing was changed: the database can’t be reached. Try again in a moment."
            return problem(503, "Not now", away, headers={"retry-after": "5"})

    return answer


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    errors: Collection[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body: dict[str, object] = {
        "type": "about:blank", "title": title, "status": status, "detail": detail,
    }  # fmt: skip
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(
        body, status, headers={**PRIVATE, **(headers or {})}, media_type="application/problem+json"
    )


def error_of(field: str, detail: str) -> dict[str, str]:
    return {"field": field, "detail": detail}


async def texts_in(
    request: Request, *required: str, optional: Collection[str] = ()
) -> dict[str, str]:
    """The body's texts by name; an optional one that isn't there is "".

    Raises NotTaken and Refusals.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise NotTaken(415, "Send the fields as application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise NotTaken(413, f"The body has more than {BODY_LIMIT:,} bytes.")
    try:
        sent = json.loads(bytes(body))
    except (ValueError, RecursionError):
        raise NotTaken(400, "The body isn’t JSON.") from None
    if not isinstance(sent, dict):
        raise NotTaken(400, "The body isn’t an object of fields.")
    if unknown := set(sent) - {*required, *optional}:
        raise NotTaken(400, f"Unknown field: {min(unknown)[:40]!r}.")
    wrong = [name for name, value in sent.items() if not isinstance(value, str)]
    wrong += [name for name in sent if name not in wrong and not _is_storable(sent[name])]
    missing = [name for name in required if sent.get(name, "") == ""]
    if missing or wrong:
        raise Refusals(
            [Refused(name.replace("_", " "), "must be plain text") for name in wrong]
            + [Refused(name.replace("_", " "), "is missing") for name in missing]
        )
    return {name: sent.get(name, "") for name in (*required, *optional)}


def _is_storable(text: str) -> bool:
    """Neither NUL nor half a character: no database and no hash takes those."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _errors(error: Refused | Refusals) -> list[dict[str, str]]:
    each = error.errors if isinstance(error, Refusals) else [error]
    return [error_of(one.field.replace(" ", "_"), f"{one}.") for one in each]
