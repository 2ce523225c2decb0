"""The app's own wrappers stand outside the library's routes: what they refuse reaches nothing."""

from __future__ import annotations

import pytest

from tests.doors.door import running
from workbench.accounts import sessions


@pytest.mark.usefixtures("own_database")
async def test_a_cookie_that_was_replaced_writes_no_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "GRACE", 0)
    async with running() as door:
        ann = await door.sign_up("Ann")
        _, shot = await ann.make_shot()
        stolen = ann.copy()
        for _ in range(2):
            assert (await ann.refresh()).status_code == 200
        assert (await ann.operate(("shot", shot, "travel-ui-state"), "prompt", "hers")).is_success
        answer = await stolen.operate(("shot", shot, "travel-ui-state"), "prompt", "stolen")
        assert answer.status_code == 401, answer.text
