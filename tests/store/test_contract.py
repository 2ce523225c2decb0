"""What every store promises, one test a sentence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from persistence.scopes import Target
from persistence.store import Store, Write

SHOT = Target("shot", "s1", "travel")
OTHER = Target("shot", "s2", "travel")
Make = Callable[..., Write]


async def test_a_target_that_nobody_wrote_to_loads_as_empty(store: Store) -> None:
    assert await store.load([SHOT, OTHER]) == {SHOT: {}, OTHER: {}}
    assert await store.load([]) == {}


async def test_a_write_is_loaded_as_it_was_written(store: Store, write: Make) -> None:
    receipt = await store.commit(
        [write("frames", "41", kind="policy", note="house rule", version=3, at=1.5)]
    )
    row = (await store.load([SHOT]))[SHOT]["frames"]
    assert row.revision == receipt.revisions[0] > 0
    assert row == ("policy", "41", row.revision, "ann", 1.5, 3, "house rule")


async def test_revisions_grow_over_all_targets(store: Store, write: Make) -> None:
    first = await store.commit([write("a"), write("b"), write("a", target=OTHER)])
    second = await store.commit([write("c")])
    everything = [*first.revisions, *second.revisions]
    assert everything == sorted(set(everything))


async def test_a_reset_leaves_a_tombstone_that_stale_writes_stumble_over(
    store: Store, write: Make
) -> None:
    (first,) = (await store.commit([write()])).revisions
    (second,) = (await store.commit([write(text=None, base=first)])).revisions
    row = (await store.load([SHOT]))[SHOT]["frames"]
    assert (row.kind, row.text, row.revision) == ("reset", None, second)
    stale = await store.commit([write(text="9", base=first), write("other")])
    assert stale.moved == {0: row}
    fresh = await store.commit([write(text="9")])
    assert fresh.moved == {0: row}
    (third,) = (await store.commit([write(text="9", base=second)])).revisions
    assert third > second


async def test_a_row_that_moved_is_reported_and_the_rest_is_written(
    store: Store, write: Make
) -> None:
    (first,) = (await store.commit([write()])).revisions
    receipt = await store.commit(
        [write("a", "1"), write(text="7"), write("gone", base=99), write("a", "2", target=OTHER)]
    )
    theirs = (await store.load([SHOT]))[SHOT]["frames"]
    assert theirs.revision == first
    assert receipt.moved == {1: theirs, 2: None}
    assert receipt.revisions[0]
    assert receipt.revisions[3]
    assert [receipt.revisions[1], receipt.revisions[2]] == [0, 0]
    loaded = await store.load([SHOT, OTHER])
    assert (loaded[SHOT]["a"].text, loaded[OTHER]["a"].text) == ("1", "2")
    assert "gone" not in loaded[SHOT]


async def test_of_two_writes_of_one_field_in_one_commit_the_first_wins(
    store: Store, write: Make
) -> None:
    receipt = await store.commit([write(text="1"), write(text="2")])
    row = (await store.load([SHOT]))[SHOT]["frames"]
    assert row.text == "1"
    assert receipt.moved == {1: row}


async def test_an_operation_is_done_once(store: Store, write: Make) -> None:
    (first,) = (await store.commit([write("frames", "41", "op-1")])).revisions
    (second,) = (await store.commit([write("frames", "42", "op-2", base=first)])).revisions
    again = await store.commit([write("frames", "41", "op-1"), write("other", "1", "op-3")])
    assert again.repeated == {0: first}
    assert again.revisions[1] > second
    assert (await store.load([SHOT]))[SHOT]["frames"].text == "42"
    assert await store.done(["op-1", "op-2", "op-4"]) == {"op-1": first, "op-2": second}


async def test_operations_folded_into_one_write_are_all_done(store: Store, write: Make) -> None:
    (first,) = (await store.commit([write("frames", "41", "a", "b", "c")])).revisions
    assert await store.done(["a", "b", "c"]) == dict.fromkeys("abc", first)
    for operation in "abc":
        again = await store.commit([write("frames", "0", operation, base=first)])
        assert again.repeated == {0: first}


async def test_a_fold_is_repeated_only_if_its_newest_operation_was_done(
    store: Store, write: Make
) -> None:
    (first,) = (await store.commit([write("frames", "1", "a")])).revisions
    onward = await store.commit([write("frames", "2", "a", "b", base=first)])
    assert onward.repeated == {}
    (second,) = onward.revisions
    assert await store.done(["a", "b"]) == {"a": first, "b": second}
    late = await store.commit([write("frames", "0", "late", "b", base=second)])
    assert late.repeated == {0: second}
    assert await store.done(["late"]) == {"late": second}  # b has overtaken it


async def test_one_operation_twice_in_a_commit_is_done_once(store: Store, write: Make) -> None:
    receipt = await store.commit([write("a", "1", "op"), write("b", "2", "op")])
    assert receipt.repeated == {1: receipt.revisions[0]}
    assert list((await store.load([SHOT]))[SHOT]) == ["a"]


async def test_an_empty_commit_does_nothing(store: Store) -> None:
    receipt = await store.commit([])
    assert list(receipt.revisions) == []


async def test_what_was_written_is_there_after_reopening(store: Store, write: Make) -> None:
    await store.open()
    await store.commit([write("frames", "41", "op")])
    before = await store.load([SHOT])
    await store.close()
    await store.open()
    assert await store.load([SHOT]) == before
    again = await store.commit([write("other", "1", "op"), write("other")])
    assert 0 in again.repeated
    assert again.revisions[1] == 2


async def test_the_history_is_newest_first_and_goes_on_from_a_revision(
    store: Store, write: Make
) -> None:
    base = 0
    for number in range(7):
        field, target = ("frames", SHOT) if number % 2 else (f"f{number}", OTHER)
        receipt = await store.commit(
            [write(field, str(number), base=base if number % 2 else 0, target=target)]
        )
        base = receipt.revisions[0] if number % 2 else base
    both = await store.history([SHOT, OTHER])
    assert [change.text for change in both] == ["6", "5", "4", "3", "2", "1", "0"]
    first = await store.history([SHOT, OTHER], limit=3)
    rest = await store.history([SHOT, OTHER], before=first[-1].revision, limit=10)
    assert first + rest == both
    mine = await store.history([SHOT], field="frames")
    assert [change.text for change in mine] == ["5", "3", "1"]
    assert await store.history([SHOT, SHOT]) == mine
    assert await store.history([SHOT], limit=0) == await store.history([], limit=9) == []


async def test_the_history_says_who_did_what_when_and_why(store: Store, write: Make) -> None:
    (revision,) = (
        await store.commit(
            [write(text=None, kind="block", source="program", group="g7", version=2, note="no")]
        )
    ).revisions
    assert await store.history([SHOT]) == [
        (revision, SHOT, "frames", "block", None, "ann", "program", 1.0, "g7", 2, "no")
    ]


async def test_a_secret_stands_in_its_row_and_never_in_the_journal(
    store: Store, write: Make
) -> None:
    (first,) = (await store.commit([write("token", "cipher-1", secret=True)])).revisions
    await store.commit([write("token", "cipher-2", secret=True, base=first)])
    assert (await store.load([SHOT]))[SHOT]["token"].text == "cipher-2"
    assert [change.text for change in await store.history([SHOT])] == [None, None]


async def test_a_reset_removes_a_secret(store: Store, write: Make) -> None:
    (first,) = (await store.commit([write("token", "cipher", secret=True)])).revisions
    await store.commit([write("token", None, secret=True, base=first)])
    assert (await store.load([SHOT]))[SHOT]["token"].text is None


async def test_tools_lists_what_an_owner_has_rows_of(store: Store, write: Make) -> None:
    for tool in ("b", "a"):
        await store.commit([write(target=Target("user", "u", tool)), write("x", target=OTHER)])
    assert await store.tools("user", "u") == ["a", "b"]
    assert await store.tools("user", "nobody") == []


async def test_forget_removes_an_owner_and_nobody_else(store: Store, write: Make) -> None:
    ui = Target("shot", "s1", "ui")
    await store.commit([write("a"), write("b"), write("a", target=ui), write("a", target=OTHER)])
    assert await store.forget("shot", "s1") == 3
    assert await store.forget("shot", "s1") == 0
    assert await store.load([SHOT, ui]) == {SHOT: {}, ui: {}}
    assert await store.history([SHOT, ui]) == []
    assert list((await store.load([OTHER]))[OTHER]) == ["a"]
    assert len(await store.history([OTHER])) == 1


async def test_a_revision_is_never_given_again(store: Store, write: Make) -> None:
    (first,) = (await store.commit([write()])).revisions
    await store.forget("shot", "s1")
    await store.close()
    stale = await store.commit([write(base=first)])
    assert stale.moved == {0: None}
    (second,) = (await store.commit([write()])).revisions
    assert second > first


async def test_prune_keeps_what_an_override_points_to(store: Store, write: Make) -> None:
    (old,) = (await store.commit([write("frames", "1", "op-1", at=10.0)])).revisions
    (now,) = (await store.commit([write("frames", "2", "op-2", base=old, at=20.0)])).revisions
    await store.commit([write("kept", "1", at=5.0), write("recent", "1", at=99.0)])
    assert await store.prune(older_than=50.0, keep_operations_after=15.0) == 2
    rows = (await store.load([SHOT]))[SHOT]
    assert {field: row.text for field, row in rows.items()} == {
        "frames": "2",
        "kept": "1",
        "recent": "1",
    }
    assert old not in [change.revision for change in await store.history([SHOT])]
    assert await store.done(["op-1", "op-2"]) == {"op-2": now}


async def test_prune_takes_old_tombstones_and_a_stale_write_is_still_seen(
    store: Store, write: Make
) -> None:
    (first,) = (await store.commit([write(at=1.0)])).revisions
    await store.commit([write(text=None, base=first, at=2.0)])
    assert await store.prune(older_than=2.0, keep_operations_after=0.0) == 0
    assert "frames" in (await store.load([SHOT]))[SHOT]
    assert await store.prune(older_than=3.0, keep_operations_after=0.0) == 3
    assert await store.load([SHOT]) == {SHOT: {}}
    assert await store.tools("shot", "s1") == []
    assert (await store.commit([write(base=first)])).moved == {0: None}
    assert (await store.commit([write()])).revisions[0] > 2


ODD = [
    "",
    "'; DROP TABLE persistence_override;--",
    'quo"te',
    "%_\\",
    "日本語 🎬",
    "e\u0301" * 5_000,
    "\u202edesrever",
    "n" * 10_000,
    "\x00nul",
    "line\r\nbreak",
    "__class__",
]


@pytest.mark.parametrize("odd", ODD, ids=lambda text: ascii(text)[:20])
async def test_any_text_may_name_and_fill_a_row(store: Store, write: Make, odd: str) -> None:
    target = Target(odd, odd, odd)
    text = json.dumps(odd, ensure_ascii=False)
    await store.commit(
        [write(odd, text, f"op{odd}", target=target, author=odd, group=odd, note=odd)]
    )
    row = (await store.load([target, SHOT]))[target][odd]
    assert (row.text, row.author, row.note) == (text, odd, odd)
    assert await store.done([f"op{odd}"]) == {f"op{odd}": row.revision}
    assert (await store.history([target], field=odd))[0].group == odd
    assert await store.tools(odd, odd) == [odd]
    assert await store.forget(odd, odd) == 1


async def test_many_targets_load_at_once(store: Store, write: Make) -> None:
    targets = [Target("shot", f"s{number}", "travel") for number in range(1_000)]
    await store.commit([write(text=str(n), target=each) for n, each in enumerate(targets)])
    layers = await store.load([*targets, Target("shot", "s", "travel")])
    assert len(layers) == 1_001
    assert all(layers[each]["frames"].text == str(n) for n, each in enumerate(targets))
    ids = [f"o{number}" for number in range(1_000)]
    await store.commit([write(f"f{i}", "1", each) for i, each in enumerate(ids)])
    assert len(await store.done(ids)) == 1_000


async def test_loads_and_commits_at_once_see_each_other_in_order(store: Store, write: Make) -> None:
    async def save_and_look(number: int) -> str | None:
        target = Target("shot", f"s{number}", "travel")
        await store.commit([write(text=str(number), target=target)])
        return (await store.load([target]))[target]["frames"].text

    found = await asyncio.gather(*map(save_and_look, range(50)))
    assert found == [str(number) for number in range(50)]


async def test_a_cancelled_commit_is_harmless_with_operations(store: Store, write: Make) -> None:
    task = asyncio.create_task(store.commit([write("frames", "41", "op")]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.commit([write("frames", "41", "op")])
    assert (await store.load([SHOT]))[SHOT]["frames"].text == "41"
    assert len(await store.history([SHOT])) == 1


async def test_whether_a_field_was_written_by_an_operation_of_a_range_is_told(
    store: Store, write: Make
) -> None:
    await store.commit([write("frames", "41", "tab.00000002"), write("mode", "1", "tab.00000003")])
    later = ("tab.00000002", "tab/")
    assert await store.followed(*later, SHOT, "frames")
    assert await store.followed(*later, SHOT, "mode")
    assert not await store.followed(*later, OTHER, "frames")
    assert not await store.followed("tab.00000003", "tab/", SHOT, "frames")
    assert not await store.followed("tab.00000001", "tab.00000002", SHOT, "frames")
    assert not await store.followed("ta.00000001", "ta/", SHOT, "frames")
