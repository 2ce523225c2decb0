"""Serves the Reflex app of the current folder, already compiled, as `reflex run --env prod` does.

Run by `servers.py` in a process of its own. It compiles and builds nothing, so that a server is up
within a second and a killed one comes back as quickly.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main(port: int) -> None:
    sys.path.insert(0, str(Path.cwd()))
    importlib.import_module("rxconfig")  # sets what must be set before Reflex is imported

    from reflex.utils.exec import run_backend_prod
    from reflex_base.constants import Env, LogLevel
    from reflex_base.environment import environment

    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    run_backend_prod("127.0.0.1", port, LogLevel.INFO, mount_frontend_compiled_app=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
