"""SIMULATE: several tabs, servers and a store that fail, from one seed, in virtual time.

    report = simulate(seed=7, tools=[TravelSettings], scopes=("user", "project", "shot"))
    assert not report.faults, report

The engines are real; tabs, network and crashes are played. A tab does what the page's script does:
it keeps each edit as an operation in the browser's outbox until it hears what became of it, sends
it again, and brings it back after the browser was killed. Afterwards all is mended, and then

- each edit that a person made was confirmed, refused with a reason, or is a conflict: none is lost;
- each confirmed one is in the journal once, at its own target and field, with its own value;
- nothing else is in the journal, and what the layers say is what its newest rows say;
- nobody's edit was written over by another person who hadn't seen it;
- nobody is asked about a conflict with himself.

The same seed plays the same schedule. Apps run it on their own declarations; `Odds` says how often
what happens. Nothing here is imported by the library itself.
"""

from .odds import Odds, Report
from .play import simulate

__all__ = ["Odds", "Report", "simulate"]
