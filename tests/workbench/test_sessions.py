"""Sessions in time: one secret counts, the one before for a moment, an older one ends it all."""

from __future__ import annotations

import pytest
from sqlmodel import select

from workbench.accounts import people, resets, sessions, signing
from workbench.accounts.cookies import Ticket
from workbench.accounts.resets import LinkGone, NoSuchAccount
from workbench.accounts.sessions import DAY, GRACE, IDLE, LONGEST
from workbench.accounts.signing import Visit, WrongPassword
from workbench.database import read, write
from workbench.models import Session
from workbench.names import Refused

NOW = 1_800_000_000.0
PASSWORD = "harbour at dawn"
HERE = Visit("192.0.2.1", "Firefox on Linux", NOW)


def at(seconds: float) -> Visit:
    return Visit(HERE.address, HERE.device, NOW + seconds)


async def sign_up(name: str = "Ann") -> Ticket:
    return await signing.sign_up("", name, PASSWORD, HERE)


async def counts(ticket: Ticket, seconds: float) -> bool:
    return await sessions.enter(ticket, now=NOW + seconds)


async def refreshed(ticket: Ticket, seconds: float) -> Ticket:
    answer = await sessions.refresh(ticket, now=NOW + seconds)
    assert answer is not None
    assert answer.ticket is not None
    return answer.ticket


async def test_the_secret_before_counts_for_a_moment_then_it_was_copied():
    first = await sign_up()
    second = await refreshed(first, 100)
    assert await counts(second, 101)
    assert await counts(first, 100 + GRACE - 1)
    assert not await counts(first, 100 + GRACE)
    assert not await counts(second, 100 + GRACE)  # whoever has it: both are out
    assert await read(lambda database: database.exec(select(Session)).all()) == []


async def test_a_copied_secret_that_is_refreshed_ends_the_session_too():
    first = await sign_up()
    second = await refreshed(first, 100)
    assert await counts(second, 101)
    assert await sessions.refresh(first, now=NOW + 100 + GRACE) is None
    assert not await counts(second, 200)


async def test_an_answer_that_was_lost_doesnt_sign_anybody_out():
    first = await sign_up()
    lost = await refreshed(first, 100)
    assert await counts(first, 100 + 10 * GRACE)
    third = await refreshed(first, 100 + 10 * GRACE)
    assert await counts(third, 101 + 10 * GRACE)
    assert not await counts(lost, 102 + 10 * GRACE)  # nobody should have that one
    assert not await counts(third, 103 + 10 * GRACE)


async def test_a_session_ends_after_a_month_without_a_visit_and_after_half_a_year_anyway():
    ticket = await sign_up()
    for day in range(20, 180, 20):
        assert await counts(ticket, day * DAY)
    assert not await counts(ticket, LONGEST)
    idle = await sessions.start(ticket.user, device="", now=NOW)
    assert await counts(idle, IDLE - 1)
    assert not await counts(idle, 2 * IDLE)
    await write(lambda database: sessions.forget_over(database, now=NOW + LONGEST + IDLE))
    assert await read(lambda database: database.exec(select(Session)).all()) == []


async def test_a_ticket_is_of_its_user_alone():
    ann, bob = await sign_up(), await sign_up("Bob")
    assert not await counts(Ticket(bob.user, ann.session, ann.secret), 1)
    assert not await sessions.is_live(bob.user, ann.session, now=NOW)
    assert not await sessions.end(bob.user, ann.session)
    assert await counts(ann, 2)


async def test_a_session_that_another_process_ended_is_noticed():
    ticket = await sign_up()
    assert await counts(ticket, 0)
    await write(lambda database: database.delete(database.get(Session, ticket.session)))
    assert await sessions.is_live(
        ticket.user, ticket.session, now=NOW + 1
    )  # it was so a moment ago
    assert await sessions.notice_ended() == 1
    assert not await sessions.is_live(ticket.user, ticket.session, now=NOW + 1)


async def test_nobody_is_signed_out_because_the_database_is_away(monkeypatch, tmp_path):
    ticket = await sign_up()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder/x.db")
    assert await counts(ticket, 10)
    assert await sessions.is_live(ticket.user, ticket.session, now=NOW + 10)
    assert await people.is_guest("somebody", now=NOW)
    assert await people.is_here(ticket.user, now=NOW + 10)


async def test_an_account_has_no_endless_list_of_sessions():
    ticket = await sign_up()
    for number in range(sessions.SESSIONS_LIMIT + 5):
        await sessions.start(ticket.user, device="", now=NOW + 1 + number)
    assert len(await sessions.list_of(ticket.user, now=NOW)) == sessions.SESSIONS_LIMIT
    assert not await counts(ticket, 100)


async def test_a_reset_link_works_once_and_ends_every_session():
    ticket = await sign_up()
    token = await resets.make_link("ANN", now=NOW)
    assert await resets.whose(token, now=NOW) == "Ann"
    with pytest.raises(Refused, match="at least 8"):
        await resets.use_link(token, "short", at(1))
    assert await resets.use_link(token, "gulls over the pier", at(2)) == "Ann"
    assert not await counts(ticket, 3)
    with pytest.raises(LinkGone):
        await resets.use_link(token, "another one again", at(4))
    assert await signing.sign_in("Ann", "gulls over the pier", at(5))
    with pytest.raises(WrongPassword):
        await signing.sign_in("Ann", PASSWORD, at(6))


async def test_a_reset_link_gets_old_and_the_newest_alone_counts():
    await sign_up()
    first = await resets.make_link("Ann", now=NOW, hours=2)
    second = await resets.make_link("Ann", now=NOW, hours=2)
    assert await resets.whose(first, now=NOW) == ""
    assert await resets.whose(second, now=NOW + 2 * 3600 - 1) == "Ann"
    assert await resets.whose(second, now=NOW + 2 * 3600) == ""
    for made_up in ("", "x", "x" * 10_000, None, ["a"], "\ud800"):
        assert await resets.whose(made_up, now=NOW) == ""
    with pytest.raises(NoSuchAccount):
        await resets.make_link("Nobody", now=NOW)


async def test_who_has_a_link_may_sign_in_however_often_they_tried_before():
    await sign_up()
    for _ in range(10):
        with pytest.raises(WrongPassword):
            await signing.sign_in("Ann", "not the password", HERE)
    token = await resets.make_link("Ann", now=NOW)
    await resets.use_link(token, "gulls over the pier", at(1))
    assert await signing.sign_in("Ann", "gulls over the pier", at(2))
