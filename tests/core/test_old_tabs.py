"""What tabs of an older build send is understood; what isn't is refused whole, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from persistence import Target
from persistence.http import Malformed, parse_operations

FIRST = {
    "id": "t.1",
    "client": "t",
    "target": ["shot", "s1", "travel"],
    "field": "frames",
    "value": 41,
}
"""All that an operation has to say, and ever had to."""
LATER = ({"seq": 7}, {"kind": "set"}, {"base": 3}, {"actor": "ann"}, {"schema": 1})


@pytest.mark.parametrize("upto", range(len(LATER) + 1))
def test_an_operation_without_what_came_later_is_understood(upto: int) -> None:
    sent: dict[str, Any] = dict(FIRST)
    for more in LATER[:upto]:
        sent |= more
    (made,) = parse_operations([sent])
    assert (made.id, made.target, made.field) == ("t.1", Target("shot", "s1", "travel"), "frames")
    assert (made.kind, made.value) == ("set", 41)


def test_what_only_a_newer_build_says_is_refused_by_its_name_and_nothing_of_it_done() -> None:
    """The page shows it as not saved, and keeps it: a word that isn't known may change the rest."""
    with pytest.raises(Malformed, match="operation 1: unknown key 'until'"):
        parse_operations([FIRST, FIRST | {"id": "t.2", "until": "tomorrow"}])
