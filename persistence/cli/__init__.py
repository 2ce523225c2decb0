"""`python -m persistence`: look into a database, move settings in and out, keep it tidy.

Needs the package's extra `cli`: typer, which brings rich. Nothing else imports this.
"""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["main"]


def main() -> None:
    """Run the command line on this process's arguments. Ends the process."""
    if find_spec("typer") is None or find_spec("rich") is None:
        raise SystemExit("The command line needs typer: pip install 'reflex-persistence[cli]'")
    from .app import app

    app(prog_name="python -m persistence")
