"""What every store tells from its journal, and what it keeps under a name: one test a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from persistence.scopes import Target
from persistence.store import Moment, Preset, Store, Write
from persistence.store.base import FORGOTTEN, sealed

SHOT = Target("shot", "s1", "travel")
OTHER = Target("shot", "s2", "travel")
PROJECT = Target("project", "p1", "travel")
Make = Callable[..., Write]


async def put(store: Store, write: Write) -> int:
    """Write it on whatever stands there; its revision."""
    row = (await store.load([write.target]))[write.target].get(write.field)
    (revision,) = (await store.commit([write._replace(base=row.revision if row else 0)])).revisions
    assert revision
    return revision


# --- by author and by action ---------------------------------------------------------------------


async def test_an_authors_changes_come_over_all_targets_newest_first_and_go_on(
    store: Store, write: Make
) -> None:
    for number in range(6):
        target = SHOT if number % 2 else PROJECT
        await put(store, write(f"f{number}", str(number), target=target))
        await put(store, write("bobs", str(number), target=target, author="bob"))
    first = await store.authored("ann", limit=2)
    rest = await store.authored("ann", before=first[-1].revision)
    assert [change.text for change in first + rest] == ["5", "4", "3", "2", "1", "0"]
    assert {change.author for change in first + rest} == {"ann"}
    assert first[0] == (11, SHOT, "f5", "set", "5", "ann", "user", 1.0, "g1", 1, None)
    assert await store.authored("nobody") == await store.authored("ann", limit=0) == []


async def test_an_action_is_all_that_its_author_did_in_it(store: Store, write: Make) -> None:
    await store.commit(
        [
            write("a", "1", group="push"),
            write("a", "1", group="push", target=OTHER),
            write("b", "1", group="push", author="bob"),
            write("c", "1", group="other"),
            write("d", "1", group=""),
        ]
    )
    await put(store, write("a", "2", group="push"))
    found = await store.group("push", "ann")
    assert [(each.target, each.field, each.text) for each in found] == [
        (SHOT, "a", "2"),
        (OTHER, "a", "1"),
        (SHOT, "a", "1"),
    ]
    assert [each.field for each in await store.group("push", "bob")] == ["b"]
    assert await store.group("", "ann") == await store.group("none", "ann") == []


# --- what was there before -----------------------------------------------------------------------


async def test_what_stood_before_a_revision(store: Store, write: Make) -> None:
    one = await put(store, write("frames", "1"))
    await put(store, write("frames", "9", target=OTHER))
    await put(store, write("prompt", '"x"'))
    two = await put(store, write("frames", "2"))
    gone = await put(store, write("frames", None))
    points = [
        (SHOT, "frames", one),
        (SHOT, "frames", two),
        (SHOT, "frames", gone),
        (SHOT, "frames", gone + 1),
        (SHOT, "frames", one + 1),
        (SHOT, "nothing", gone),
        (PROJECT, "frames", gone),
    ]
    found = await store.standing(points)
    assert list(found) == points
    assert [each and (each.kind, each.text) for each in found.values()] == [
        None,
        ("set", "1"),
        ("set", "2"),
        ("reset", None),
        ("set", "1"),
        None,
        None,
    ]
    assert await store.standing([]) == {}


async def test_how_layers_stood_after_a_revision(store: Store, write: Make) -> None:
    await put(store, write("frames", "1"))
    moment = await put(store, write("prompt", '"fog"'))
    await put(store, write("frames", "2"))
    await put(store, write("prompt", None))
    last = await put(store, write("mode", '"basic"', target=OTHER))

    async def seen(revision: int) -> list[dict[str, str | None]]:
        layers = await store.at([SHOT, OTHER, PROJECT], revision)
        assert list(layers) == [SHOT, OTHER, PROJECT]
        return [{field: each.text for field, each in rows.items()} for rows in layers.values()]

    assert await seen(0) == [{}, {}, {}]
    assert await seen(moment) == [{"frames": "1", "prompt": '"fog"'}, {}, {}]
    assert await seen(last) == [{"frames": "2", "prompt": None}, {"mode": '"basic"'}, {}]
    assert (await store.at([SHOT], last))[SHOT]["prompt"].kind == "reset"
    assert await store.at([], last) == {}


async def test_many_points_and_targets_are_answered_at_once(store: Store, write: Make) -> None:
    targets = [Target("shot", f"s{number}", "travel") for number in range(500)]
    first = await store.commit([write(text=str(n), target=each) for n, each in enumerate(targets)])
    second = await store.commit(
        [
            write(text="new", target=each, base=base)
            for each, base in zip(targets, first.revisions, strict=True)
        ]
    )
    points = [
        (each, "frames", revision) for each, revision in zip(targets, second.revisions, strict=True)
    ]
    before = await store.standing(points)
    assert [each and each.text for each in before.values()] == [str(n) for n in range(500)]
    layers = await store.at(targets, second.revisions[-1])
    assert {rows["frames"].text for rows in layers.values()} == {"new"}
    assert len(await store.history(targets, limit=2_000)) == 1_000
    assert len(await store.group("g1", "ann")) == 1_000


async def test_a_secret_is_in_no_answer_from_the_journal(store: Store, write: Make) -> None:
    first = await put(store, write("token", "cipher-1", secret=True))
    second = await put(store, write("token", "cipher-2", secret=True))
    await store.prune(older_than=0.0, keep_operations_after=0.0)
    answers = [
        *await store.history([SHOT]),
        *await store.authored("ann"),
        *await store.group("g1", "ann"),
        *(await store.standing([(SHOT, "token", second)])).values(),
        *(await store.at([SHOT], first))[SHOT].values(),
        *(await store.at([SHOT], second))[SHOT].values(),
    ]
    assert len(answers) == 9
    assert "cipher" not in repr(answers)
    assert "cipher" not in repr(await store.check())


# --- counting ------------------------------------------------------------------------------------


async def test_the_last_revision_is_the_last_one_that_was_given(store: Store, write: Make) -> None:
    assert await store.last_revision() == await store.pruned() == 0
    receipt = await store.commit([write("a"), write("b")])
    assert await store.last_revision() == receipt.revisions[-1]
    await store.forget("shot", "s1")
    assert await store.last_revision() == receipt.revisions[-1] + 1


async def test_what_came_since_a_revision_is_told_oldest_first_and_in_pages(
    store: Store, write: Make
) -> None:
    first = await put(store, write("a", "1"))
    await put(store, write("a", "2", author="bob"))
    await put(store, write("b", "1", target=OTHER, source="program"))
    assert await store.since(first) == [
        (first + 1, SHOT, "a", "bob", "user"),
        (first + 2, OTHER, "b", "ann", "program"),
    ]
    assert [each.revision for each in await store.since(0, limit=2)] == [first, first + 1]
    assert await store.since(first + 2) == await store.since(0, limit=0) == []


async def test_forgetting_leaves_one_row_by_which_others_hear_of_it(
    store: Store, write: Make
) -> None:
    last = await put(store, write("a", "1"))
    await put(store, write("a", "1", target=OTHER))
    for _ in range(2):
        await store.forget("shot", "s1")
        [other, gone] = await store.since(last)
        named = ("shot", sealed("shot", "s1"), "")  # which says nothing to who doesn't know it
        assert (other.target, gone[1:]) == (OTHER, (named, "", FORGOTTEN, FORGOTTEN))
    assert gone.revision == await store.last_revision()
    assert await store.owners("shot") == ["s2"]
    assert await store.authored("") == []
    await store.prune(older_than=10.0, keep_operations_after=0.0)
    assert [each.revision for each in await store.since(last)] == [other.revision, gone.revision]


async def test_owners_of_a_scope_come_sorted_and_in_pages(store: Store, write: Make) -> None:
    for owner in ("b", "é", "a", "Z", "c"):
        await store.commit([write(target=Target("shot", owner, tool)) for tool in ("travel", "ui")])
    await store.commit([write(target=PROJECT)])
    assert await store.owners("shot") == ["Z", "a", "b", "c", "é"]
    assert await store.owners("shot", limit=2) == ["Z", "a"]
    assert await store.owners("shot", after="a", limit=2) == ["b", "c"]
    assert await store.owners("shot", after="é") == await store.owners("user") == []


# --- names ---------------------------------------------------------------------------------------


async def test_a_moment_is_kept_replaced_and_removed_by_its_name(store: Store) -> None:
    early = Moment("project", "p1", "First cut", 3, "ann", 1.5)
    late = Moment("project", "p1", "Final", 9, "bob", 2.5)
    also = Moment("project", "p1", "Also", 9, "bob", 2.5)
    for moment in (early, late, also, Moment("project", "p2", "Final", 4, "ann", 1.0)):
        await store.name_moment(moment)
    assert await store.moments("project", "p1") == [also, late, early]
    moved = early._replace(revision=12)
    await store.name_moment(moved)
    assert await store.moments("project", "p1") == [moved, also, late]
    assert await store.remove_moment("project", "p1", "Final")
    assert not await store.remove_moment("project", "p1", "Final")
    assert await store.moments("project", "p1") == [moved, also]
    assert len(await store.moments("project", "p2")) == 1
    assert await store.moments("shot", "p1") == []


async def test_a_preset_is_kept_replaced_and_removed_by_its_name(store: Store) -> None:
    slow = Preset("user", "ann", "travel", "Slow", '{"frames":200}', "ann", 1.5, 2)
    fast = Preset("user", "ann", "travel", "Fast", '{"frames":20}', "ann", 2.5)
    for preset in (slow, fast, slow._replace(tool="ui"), slow._replace(owner="bob")):
        await store.keep_preset(preset)
    assert await store.presets("user", "ann", "travel") == [fast, slow]
    slower = slow._replace(text='{"frames":240}', at=9.0)
    await store.keep_preset(slower)
    assert await store.presets("user", "ann", "travel") == [fast, slower]
    assert await store.remove_preset("user", "ann", "travel", "Fast")
    assert not await store.remove_preset("user", "ann", "travel", "Fast")
    assert await store.presets("user", "ann", "travel") == [slower]
    assert len(await store.presets("user", "bob", "travel")) == 1
    assert await store.presets("user", "nobody", "travel") == []


async def test_names_are_there_after_reopening(store: Store) -> None:
    moment = Moment("shot", "s1", "日本語 🎬'\"", 3, "ann", 1.5)
    preset = Preset("shot", "s1", "travel", "e\u0301", "{}", "ann", 1.5)
    await store.name_moment(moment)
    await store.keep_preset(preset)
    await store.close()
    await store.open()
    assert await store.moments("shot", "s1") == [moment]
    assert await store.presets("shot", "s1", "travel") == [preset]


async def test_forget_removes_an_owners_moments_and_presets_and_nobody_elses(
    store: Store, write: Make
) -> None:
    await store.commit([write(), write(target=OTHER)])
    for owner in ("s1", "s2"):
        await store.name_moment(Moment("shot", owner, "Final", 2, "ann", 1.0))
        await store.keep_preset(Preset("shot", owner, "travel", "Slow", "{}", "ann", 1.0))
    await store.forget("shot", "s1")
    for owner, left in (("s1", 0), ("s2", 1)):
        assert len(await store.moments("shot", owner)) == left
        assert len(await store.presets("shot", owner, "travel")) == left
    assert [change.target for change in await store.authored("ann")] == [OTHER]
    assert [change.target for change in await store.group("g1", "ann")] == [OTHER]


# --- pruning -------------------------------------------------------------------------------------


async def test_prune_leaves_what_stood_at_the_end_of_what_is_old(store: Store, write: Make) -> None:
    await put(store, write("frames", "1", at=1.0))
    stood = await put(store, write("frames", "2", at=2.0))
    newer = await put(store, write("frames", "3", at=9.0))
    assert await store.prune(older_than=5.0, keep_operations_after=0.0) == 1
    assert await store.pruned() == stood
    assert [each.text for each in await store.history([SHOT])] == ["3", "2"]
    assert [each.text for each in await store.authored("ann")] == ["3", "2"]
    assert [each.text for each in await store.group("g1", "ann")] == ["3", "2"]
    before = await store.standing([(SHOT, "frames", newer)])
    assert [each and each.text for each in before.values()] == ["2"]
    assert (await store.at([SHOT], stood))[SHOT]["frames"].text == "2"
    assert await store.prune(older_than=5.0, keep_operations_after=0.0) == 0
    assert await store.prune(older_than=10.0, keep_operations_after=0.0) == 1
    assert await store.pruned() == newer


async def test_prune_keeps_what_a_moment_of_its_owner_shows(store: Store, write: Make) -> None:
    await put(store, write("frames", "1"))
    shown = await put(store, write("frames", "2"))
    await put(store, write("frames", "2", target=OTHER))
    moment = await put(store, write("prompt", '"fog"'))
    await store.name_moment(Moment("shot", "s1", "First cut", moment, "ann", 1.0))
    for target in (SHOT, OTHER):
        await put(store, write("frames", "3", target=target))
        await put(store, write("frames", "4", target=target))
    await put(store, write("prompt", None))
    last = await store.last_revision()

    assert await store.prune(older_than=5.0, keep_operations_after=0.0) == 4
    assert await store.pruned() == last
    layers = await store.at([SHOT], moment)
    assert {field: each.text for field, each in layers[SHOT].items()} == {
        "frames": "2",
        "prompt": '"fog"',
    }
    assert layers[SHOT]["frames"].revision == shown
    assert [each.text for each in await store.history([OTHER])] == ["4"]

    assert await store.remove_moment("shot", "s1", "First cut")
    assert await store.prune(older_than=5.0, keep_operations_after=0.0) == 4  # and the tombstone
    assert [each.text for each in await store.history([SHOT])] == ["4"]


async def test_a_tombstone_stays_while_a_moment_shows_what_it_removed(
    store: Store, write: Make
) -> None:
    set_at = await put(store, write("frames", "1"))
    await store.name_moment(Moment("shot", "s1", "Then", set_at, "ann", 1.0))
    gone = await put(store, write("frames", None))
    assert await store.prune(older_than=5.0, keep_operations_after=0.0) == 0
    assert (await store.load([SHOT]))[SHOT]["frames"].kind == "reset"
    assert (await store.at([SHOT], set_at))[SHOT]["frames"].text == "1"
    assert (await store.at([SHOT], gone))[SHOT]["frames"].kind == "reset"


async def test_nothing_is_pruned_where_everything_is_kept(store: Store, write: Make) -> None:
    await put(store, write("frames", "1", at=1.0))
    await put(store, write("frames", "2", at=1.0))
    assert await store.prune(older_than=0.0, keep_operations_after=0.0) == 0
    assert await store.pruned() == 0
    assert len(await store.history([SHOT])) == 2


async def test_a_row_whose_clock_was_wrong_prunes_nothing_too_early(
    store: Store, write: Make
) -> None:
    for at, text in ((1.0, "1"), (50.0, "2"), (1.0, "3"), (1.0, "4")):
        await put(store, write("frames", text, at=at))
    assert await store.prune(older_than=20.0, keep_operations_after=0.0) == 0
    assert await store.prune(older_than=60.0, keep_operations_after=0.0) == 3


async def test_saves_and_loads_go_on_while_the_journal_is_pruned(store: Store, write: Make) -> None:
    first = await store.commit([write(f"f{number}") for number in range(300)])
    await store.commit(
        [write(f"f{number}", base=base) for number, base in enumerate(first.revisions)]
    )

    async def save() -> None:
        for number in range(20):
            await put(store, write(f"g{number}", "1", at=99.0))

    pruning = store.prune(older_than=50.0, keep_operations_after=0.0)
    gone, _ = await asyncio.gather(pruning, save())
    assert gone == 300
    assert len((await store.load([SHOT]))[SHOT]) == 320
