"""`python -m tests.faults [--long] [--seed N] [names…]`: see `runner`."""

import sys

from tests.faults.runner import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
