"""`python3 -m workbench reset-password NAME`: prints a link by which that account gets another
password.

Only who can read the database and the secret key can run it: that is the administrator's proof.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from workbench.accounts import resets
from workbench.accounts.resets import NoSuchAccount
from workbench.database import Unavailable, database_url

DEFAULT_URL = "http://127.0.0.1:3000"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python3 -m workbench reset-password", description=__doc__)
    made.add_argument("name", help="the account's name")
    made.add_argument(
        "--hours", type=float, default=resets.HOURS, help="how long the link lasts: %(default)s"
    )
    made.add_argument(
        "--url",
        default=os.environ.get("PUBLIC_URL") or DEFAULT_URL,
        help="where the workbench is reached; PUBLIC_URL in the environment, or %(default)s",
    )
    return made


def main(arguments: Sequence[str], *, out: TextIO, problems: TextIO) -> int:
    """Returns the exit code: 0, 1 for nobody of that name, 2 where the database is away."""
    given = parser().parse_args(arguments)
    try:
        token = asyncio.run(resets.make_link(given.name, now=time.time(), hours=given.hours))
    except NoSuchAccount:
        problems.write(f"There is no account with the name {given.name!r} in {database_url()}.\n")
        return 1
    except Unavailable as error:
        problems.write(f"The database can't be reached ({error}): is DATABASE_URL right?\n")
        return 2
    out.write(f"{given.url.rstrip('/')}/reset/{token}\n")
    problems.write(
        f"Works once, within {given.hours:g} hours. Whoever has it can set the password of "
        f"{given.name}; earlier links for this account count no more.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], out=sys.stdout, problems=sys.stderr))
