"""Pending: one test per line of its contract, then all of them against any sequence of calls."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from persistence.changes import Patch
from persistence.pending import Dirty, Pending

_DRAFT = Dirty(
    "frames", "set", 41, "41", base=7, author="ada", source="user", at=1.0, group="g", seq=1
)


def edit(value: Any = 41, *, field: str = "frames", **keywords: Any) -> Dirty:
    return _DRAFT._replace(field=field, value=value, text=str(value), **keywords)


def test_nothing_is_pending_at_first() -> None:
    pending = Pending()
    assert not pending
    assert pending.newest("frames") is None
    assert pending.take() == []


def test_later_edits_of_a_field_fold_onto_the_one_that_waits_and_keep_its_base() -> None:
    pending = Pending()
    pending.record(edit(41, base=7))
    pending.record(edit(42, base=9))
    assert [(one.value, one.base) for one in pending.take()] == [(42, 7)]


def test_a_field_has_at_most_one_edit_in_flight_and_one_behind_it() -> None:
    pending = Pending()
    pending.record(edit(41))
    pending.take()
    for value in (42, 43, 44):
        pending.record(edit(value))
    assert [one.value for one in pending.sent.values()] == [41]
    assert [one.value for one in pending.waiting.values()] == [44]
    assert list(pending.fields()) == ["frames"]


def test_the_user_sees_the_newest_edit() -> None:
    pending = Pending()
    pending.record(edit(41))
    pending.take()
    assert pending.newest("frames") == edit(41)
    pending.record(edit(42))
    newest = pending.newest("frames")
    assert newest is not None
    assert newest.value == 42


def test_nothing_of_a_field_that_is_in_flight_is_taken() -> None:
    pending = Pending()
    pending.record(edit(41))
    pending.take()
    pending.record(edit(42))
    pending.record(edit("new", field="prompt"))
    assert [one.field for one in pending.take()] == ["prompt"]
    assert [one.value for one in pending.waiting.values()] == [42]


def test_confirming_clears_exactly_what_was_in_flight() -> None:
    pending = Pending()
    pending.record(edit(41))
    pending.take()
    pending.record(edit(42))
    assert pending.confirm("frames", 12).value == 41
    assert pending
    assert [(one.value, one.base) for one in pending.take()] == [(42, 12)]
    pending.confirm("frames", 13)
    assert not pending


def test_a_failed_write_waits_again_under_any_newer_edit_of_its_field() -> None:
    pending = Pending()
    pending.record(edit(41, base=7))
    pending.record(edit("old", field="prompt"))
    pending.take()
    pending.record(edit(42, base=0))
    pending.put_back(["frames", "prompt"])
    assert not pending.sent
    assert {one.field: (one.value, one.base) for one in pending.take()} == {
        "frames": (42, 7),
        "prompt": ("old", 7),
    }


def test_the_operations_of_folded_edits_travel_together_oldest_first() -> None:
    pending = Pending()
    pending.record(edit(41, operations=("a",)))
    pending.take()
    pending.record(edit(42, operations=("b",)))
    pending.record(edit(43, operations=("c", "d")))
    pending.put_back(["frames"])
    assert pending.take()[0].operations == ("a", "b", "c", "d")


def test_an_edit_folded_onto_operations_does_not_pass_for_the_newest_of_them() -> None:
    pending = Pending()
    pending.record(edit(41, operations=("a",)))
    pending.record(edit(42, seq=2))
    pending.record(edit(43, seq=3))
    *known, own = pending.take()[0].operations
    assert known[0] == "a"
    assert own not in ("a", "")
    assert len(own) <= 64


def test_an_edit_that_was_sent_and_put_back_is_known_to_be_perhaps_stored() -> None:
    pending = Pending()
    pending.record(edit(41))
    pending.take()
    pending.put_back(["frames"])
    pending.record(edit(42))
    assert pending.take()[0].attempted == (("set", "ada", 1.0),)


def test_dropping_a_field_forgets_what_waits_and_lets_what_is_in_flight_go_on() -> None:
    pending = Pending()
    pending.record(edit(41))
    pending.take()
    pending.record(edit(42))
    dropped = pending.drop("frames")
    assert dropped is not None
    assert dropped.value == 42
    assert pending.newest("frames") == edit(41)
    assert pending.drop("frames") is None


def test_a_withdrawn_edit_is_no_longer_in_flight_and_the_one_behind_it_stays() -> None:
    pending = Pending()
    pending.record(edit(41))
    pending.take()
    pending.record(edit(42))
    assert pending.withdraw("frames").value == 41
    assert [one.value for one in pending.waiting.values()] == [42]


def test_folded_edits_of_a_merging_dict_carry_the_keys_of_both() -> None:
    pending = Pending()
    pending.record(edit(Patch({"a": 1}), delta=Patch({"a": 1})))
    pending.record(edit(Patch({"a": 1, "b": 2}), delta=Patch({"b": 2})))
    assert pending.take()[0].delta == Patch({"a": 1, "b": 2})


Step = tuple[str, str]
steps = st.lists(
    st.tuples(st.sampled_from(["edit", "take", "confirm", "put_back"]), st.sampled_from("ab")),
    max_size=30,
)


@given(steps)
def test_no_sequence_of_calls_loses_an_edit_or_confirms_one_that_was_not_sent(
    sequence: list[Step],
) -> None:
    pending = Pending()
    latest: dict[str, int] = {}
    durable: dict[str, int] = {}
    operations: list[str] = []
    confirmed: list[str] = []
    for number, (what, field) in enumerate(sequence):
        if what == "edit":
            latest[field] = number
            operations.append(f"{field}{number}")
            pending.record(edit(number, field=field, operations=(f"{field}{number}",)))
        elif what == "take":
            pending.take()
        elif what == "confirm" and field in pending.sent:
            done = pending.confirm(field, number)
            durable[field] = done.value
            confirmed.extend(done.operations)
        elif what == "put_back" and field in pending.sent:
            pending.put_back([field])
        for name, value in latest.items():
            newest = pending.newest(name)
            assert value == (durable.get(name) if newest is None else newest.value)
    while pending:
        for sent in pending.take() or list(pending.sent.values()):
            done = pending.confirm(sent.field, 99)
            durable[sent.field] = done.value
            confirmed.extend(done.operations)
    assert durable == latest
    for field in "ab":
        assert [op for op in confirmed if op[0] == field] == [
            op for op in operations if op[0] == field
        ]
