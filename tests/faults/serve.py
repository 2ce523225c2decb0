"""Serves the app in `served` without a built page: a server is up within two seconds.

`python -m tests.faults.serve PORT`, with DATABASE_URL.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).with_name("served")


def main(port: int) -> None:
    os.chdir(HERE)
    sys.path.insert(0, str(HERE))
    importlib.import_module("rxconfig")

    from reflex.utils.exec import run_backend_prod
    from reflex_base.constants import Env, LogLevel
    from reflex_base.environment import environment

    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    run_backend_prod("127.0.0.1", port, LogLevel.INFO)


if __name__ == "__main__":
    main(int(sys.argv[1]))
