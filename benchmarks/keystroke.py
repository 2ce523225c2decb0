"""How long after a key is what it typed on the disk, the whole way: browser, socket, commit?

Words are typed at a quick typist's pace, with a pause behind each few of them, in a real browser on
a real server; a second reader of the file notes when each length of the text is there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

from .browsers import answer, first, missing, noted, room
from .measure import Answer, show

LAST = "keystroke to durable, p95 after the last key"
EVERY = "keystroke to durable, p99 of all keys"


def benchmark(quick: bool) -> Iterator[Answer]:
    if (lacking := missing(LAST)) is not None:
        yield lacking
        return
    random = Random(7)
    with room() as here:
        page = here.page()
        commits = here.commits
        assert commits is not None
        text = page.locator("#text")
        text.focus()
        last: list[int] = []
        length = 0
        for number in range(20 if quick else 100):
            keys = 60 if number % 10 == 0 else random.randint(3, 12)
            for _ in range(keys):
                page.keyboard.press("a")
                time.sleep(random.uniform(0.05, 0.14))
            length += keys
            last.append(length)
            time.sleep(random.uniform(0.8, 1.2))
        keys = noted(page)
        taken = {held: commits.after(held) - at for at, held in keys if held}
        assert first(keys, length) < float("inf")
        yield answer(LAST, [taken[each] for each in last], 0.95, 0.6)
        yield answer(EVERY, list(taken.values()), 0.99, 1.0)


if __name__ == "__main__":
    show(benchmark)
