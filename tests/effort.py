"""How much a state machine tries: briefly and the same each time, or long and with new seeds.

`HYPOTHESIS_PROFILE=long` runs each for minutes.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
LONGER = 60
"""How many times more examples a long run tries."""


def effort(examples: int, steps: int) -> settings:
    """That many sequences of up to so many steps; in a long run many times more."""
    return settings(
        max_examples=examples * LONGER if IS_LONG else examples,
        stateful_step_count=steps * 3 // 2 if IS_LONG else steps,
        deadline=None,
        derandomize=not IS_LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
