"""How long after its commit does an edit of one tab show in another: of this process, and of
another one on the same SQLite file?

Two browser contexts look at one shot, at one server and then at two. What shows before the commit,
as most of it does within one process, counts as 0.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

from .browsers import answer, missing, noted, room
from .measure import Answer, show

SAME = "an edit in another tab, p95 after the commit"
KEY = "the same after the key"
OTHER = "the same in another process on one SQLite file, p95 after the commit"


def benchmark(quick: bool) -> Iterator[Answer]:
    if (lacking := missing(SAME)) is not None:
        yield lacking
        return
    for server, questions in ((0, (SAME, KEY)), (1, (OTHER, ""))):
        with room() as here:
            mine, theirs = here.page(), here.page(server=server)
            commits, random = here.commits, Random(7)
            assert commits is not None
            mine.locator("#text").focus()
            count = 20 if quick else 100
            for _ in range(count):
                mine.keyboard.press("a")
                time.sleep(random.uniform(0.6, 0.9))
            theirs.wait_for_function(f"document.querySelector('#text').value.length === {count}")
            time.sleep(0.2)
            typed, shown = {length: at for at, length in noted(mine)}, noted(theirs)
            seen = {length: at for at, length in reversed(shown) if length}
            after = [max(0.0, at - commits.after(length)) for length, at in seen.items()]
            yield answer(questions[0], after, 0.95, 0.1 if server == 0 else 1.0)
            if questions[1]:
                keys = [at - typed[length] for length, at in seen.items()]
                yield answer(questions[1], keys, 0.95, 0.6)


if __name__ == "__main__":
    show(benchmark)
