"""Edits that met somebody else's: in every store's history, and standing for nothing."""

from __future__ import annotations

from collections.abc import Callable

from persistence.scopes import Target
from persistence.store import Moment, Store, Write

SHOT = Target("shot", "s1", "travel")
OTHER = Target("shot", "s2", "travel")
Make = Callable[..., Write]


async def both(store: Store, write: Make) -> None:
    """Bob's 50 stands (1), Ann's 60 met it (2), Bob goes on with 70 (3)."""
    await store.commit([write("frames", "50", author="bob")])
    await store.contest([write("frames", "60", "op-1", source="user", group="g2")])
    await store.commit([write("frames", "70", author="bob", base=1)])


async def test_it_stands_in_the_history_between_what_was_written(store: Store, write: Make) -> None:
    await both(store, write)
    rows = await store.history([SHOT], field="frames")
    assert [(each.revision, each.text, each.source) for each in rows] == [
        (3, "70", "user"),
        (2, "60", "conflict"),
        (1, "50", "user"),
    ]
    assert rows[1] == (2, SHOT, "frames", "set", "60", "ann", "conflict", 1.0, "g2", 1, None)
    assert [each.revision for each in await store.history([SHOT], limit=2)] == [3, 2]
    assert [each.revision for each in await store.history([SHOT], before=2)] == [1]
    assert await store.history([SHOT], field="other") == await store.history([OTHER]) == []


async def test_no_other_answer_knows_of_it(store: Store, write: Make) -> None:
    await both(store, write)
    row = (await store.load([SHOT]))[SHOT]["frames"]
    assert (row.text, row.revision, row.author) == ("70", 3, "bob")
    standing = await store.standing([(SHOT, "frames", 3)])
    assert [each and each.text for each in standing.values()] == ["50"]
    assert (await store.at([SHOT], 2))[SHOT]["frames"].text == "50"
    assert await store.authored("ann") == await store.group("g2", "ann") == []
    assert await store.done(["op-1"]) == {}
    assert [each.revision for each in await store.since(0)] == [1, 3]


async def test_revisions_go_on_behind_it(store: Store, write: Make) -> None:
    await store.contest([write("frames", "60"), write("mode", None)])
    assert await store.last_revision() == 2
    assert list((await store.commit([write("frames", "50")])).revisions) == [3]


async def test_an_operation_is_there_once(store: Store, write: Make) -> None:
    for _ in range(2):
        await store.contest([write("frames", "60", "op-1"), write("mode", '"a"', "op-2")])
    assert [each.field for each in await store.history([SHOT])] == ["mode", "frames"]
    await store.contest([write("frames", "61"), write("frames", "61")])  # no client's
    assert len(await store.history([SHOT])) == 4
    assert await store.last_revision() == 4


async def test_a_secret_is_not_in_it(store: Store, write: Make) -> None:
    await store.contest([write("token", "cipher", secret=True)])
    (row,) = await store.history([SHOT])
    assert (row.kind, row.text) == ("set", None)


async def test_it_is_pruned_when_it_is_old_and_what_stands_is_not_missed(
    store: Store, write: Make
) -> None:
    await both(store, write)
    await store.contest([write("frames", "80", at=500.0)])
    await store.name_moment(Moment("shot", "s1", "then", 1, "ann", 1.0))
    await store.prune(older_than=100.0, keep_operations_after=0.0)
    assert [each.text for each in await store.history([SHOT])] == ["80", "70", "50"]
    assert (await store.load([SHOT]))[SHOT]["frames"].text == "70"


async def test_it_goes_with_its_owner(store: Store, write: Make) -> None:
    await store.contest([write("frames", "60"), write("frames", "60", target=OTHER)])
    await store.forget("shot", "s1")
    assert await store.history([SHOT], field="frames") == []
    assert len(await store.history([OTHER])) == 1
