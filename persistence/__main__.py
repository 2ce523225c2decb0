"""`python -m persistence`: the command line."""

from .cli import main

main()
