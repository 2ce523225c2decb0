"""Typing in one field is one action; anything else in between ends it."""

from __future__ import annotations

from itertools import count

from persistence.scopes import Target
from persistence.typing_runs import LONGEST, PAUSE, TypingRuns

SHOT = Target("shot", "s1", "travel")
OTHER = Target("shot", "s2", "travel")


class Typist:
    """Edits at given times, as the engine tells of them: what stands is its own last action."""

    def __init__(self) -> None:
        self.runs, self.ids, self.standing = TypingRuns(), count(1), ""

    def types(
        self,
        now: float,
        field: str = "prompt",
        *,
        client: str = "tab",
        actor: str = "ada",
        target: Target = SHOT,
    ) -> str:
        self.standing = self.runs.group(
            client, actor, target, field,
            standing=self.standing, now=now, new=lambda: f"g{next(self.ids)}",
        )  # fmt: skip
        return self.standing


def test_edits_of_one_field_soon_after_one_another_are_one_action():
    typist = Typist()
    assert [typist.types(now) for now in (0, 1, 2, 4)] == ["g1"] * 4


def test_a_pause_ends_the_action():
    typist = Typist()
    assert [typist.types(now) for now in (0, PAUSE, 2 * PAUSE + 0.1)] == ["g1", "g1", "g2"]


def test_typing_without_a_pause_is_a_new_action_after_half_a_minute():
    typist = Typist()
    groups = [typist.types(float(now)) for now in range(int(LONGEST) + 3)]
    assert groups == ["g1"] * 31 + ["g2"] * 2


def test_another_field_target_client_or_person_is_another_action():
    typist = Typist()
    typist.types(0)
    assert typist.types(0.1, "mode") == "g2"
    assert typist.types(0.2, target=OTHER) == "g3"
    assert typist.types(0.3, client="phone", target=OTHER) == "g4"
    assert typist.types(0.4, client="phone", actor="bob", target=OTHER) == "g5"


def test_going_back_to_the_first_field_is_a_new_action():
    typist = Typist()
    assert [typist.types(0), typist.types(0.1, "mode"), typist.types(0.2)] == ["g1", "g2", "g3"]


def test_what_somebody_else_wrote_in_between_ends_the_action():
    typist = Typist()
    typist.types(0)
    typist.standing = "undo:g1"
    assert typist.types(0.5) == "g2"


def test_what_is_no_typing_ends_the_action():
    typist = Typist()
    typist.types(0)
    typist.runs.end("tab")
    assert typist.types(0.5) == "g2"
