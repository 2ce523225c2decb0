"""Accounts: guests by cookie, sign-up and sign-in, sessions, and all that is one's own.

- `keys`, `cookies`, `names`, `passwords`, `devices`: pure, or nearly
- `people`, `sessions`, `limits`, `resets`, `signing`, `bringing`, `erasing`, `exporting`, `visits`:
  what can be done, each in one transaction
- `hooks`: what the library asks; its only view of all this
- `routes` and `answers`: over HTTP; `life`: for as long as the server runs
"""

from workbench.accounts.hooks import authorise, identify, owners

__all__ = ["authorise", "identify", "owners"]
