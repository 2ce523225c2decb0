"""`python3 -m workbench`: sets itself up, builds the page and serves the app on one port.

`python3 -m workbench reset-password NAME` prints a link by which an account gets another password.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys

from workbench.bootstrap import ROOT, SetUpFailed, become, environment_for, say

HOST = "127.0.0.1"
REQUIREMENTS = ROOT / "workbench" / "requirements.txt"


def main() -> None:
    if sys.argv[1:2] == ["reset-password"]:
        python = environment_for(REQUIREMENTS)
        become(python, ["-m", "workbench.accounts.reset_password", *sys.argv[2:]])
    parser = argparse.ArgumentParser(prog="python3 -m workbench", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="default: %(default)s")
    port: int = parser.parse_args().port
    require_free(port)
    python = environment_for(REQUIREMENTS)
    os.environ.setdefault("DATABASE_URL", "sqlite:///workbench.db")
    say(f"Workbench: http://{HOST}:{port} (the first start builds the page, about half a minute)")
    one_port = ["--backend-host", HOST, "--frontend-port", str(port), "--backend-port", str(port)]
    become(python, ["-m", "reflex", "run", "--env", "prod", *one_port])


def require_free(port: int) -> None:
    """Before any set-up, since a taken port is found out in no time."""
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise SetUpFailed(
                f"Port {port} can't be used ({error}). "
                f"Choose another one: python3 -m workbench --port {port + 1}"
            ) from error


if __name__ == "__main__":
    main()
