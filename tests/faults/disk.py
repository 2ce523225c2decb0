"""A disk that forgets what wasn't synced, played over a trace of what was written to it.

`read_trace` makes steps of strace's lines; `Disk` takes them one by one, and `image` says what a
power cut might leave: of what wasn't synced any part, in sectors, in any order.

- A file's name is there for sure once its folder was synced after it was made.
- What a failed sync was about is taken for clean by the kernel and may never reach the disk,
  however often one syncs afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

Kind = Literal["write", "truncate", "sync", "sync failed", "make", "unlink", "sync folder", "mark"]

CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink"
OPTIONS = ("-y", "-xx", "-s", "1000000")
"""What strace has to be told, so that its lines can be read here."""
MAPPED = "-shm"
"""A file that SQLite shares in memory and makes anew after a crash: what is in it doesn't count."""


class Step(NamedTuple):
    """Something that a process asked of the disk, in the order that it was done."""

    kind: Kind
    file: str = ""
    at: int = 0
    """Offset of a write; length for a truncate."""
    data: bytes = b""


_LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(.*)$")
_FD = re.compile(r"^\d+<([^>]*)>")


def read_trace(text: str, folder: Path, marks: str) -> Iterator[Step]:
    """Of files in the folder alone. Calls that were cut in two lines are put together."""
    begun: dict[str, str] = {}
    for raw in text.splitlines():
        thread, _, rest = raw.partition(" ")
        line = raw
        if raw.endswith("<unfinished ...>"):
            begun[thread] = raw.removesuffix(" <unfinished ...>")
            continue
        if rest.lstrip().startswith("<... "):
            line = begun.pop(thread) + raw.split("resumed>", 1)[1]
        if found := _LINE.match(line):
            yield from _step(found[2], found[3], found[4], folder, marks)


def _step(call: str, arguments: str, result: str, folder: Path, marks: str) -> Iterator[Step]:
    if result == "?" or (result.startswith("-") and call not in ("fsync", "fdatasync")):
        return  # it was killed before it was done, or failed
    if call in ("openat", "unlink"):
        texts = re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)
        path = Path(_bytes(texts[0]).decode())
        if path.parent != folder or path.name.endswith(MAPPED):
            return
        if call == "unlink":
            yield Step("unlink", path.name)
        elif "O_CREAT" in arguments:
            yield Step("make", path.name)
        return
    found = _FD.match(arguments)
    if found is None:
        return
    path = Path(_bytes(found[1]).decode())
    if call in ("fsync", "fdatasync"):
        if path == folder:
            yield Step("sync folder")
        elif path.parent == folder:
            yield Step("sync failed" if result.startswith("-") else "sync", path.name)
        return
    if path.parent != folder or path.name.endswith(MAPPED):
        return
    if call == "ftruncate":
        yield Step("truncate", path.name, int(arguments.rsplit(",", 1)[1]))
        return
    data = _bytes(re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)[0])[: int(result)]
    if path.name == marks:
        yield Step("mark", data=data)
    elif call == "pwrite64":
        yield Step("write", path.name, int(arguments.rsplit(",", 1)[1]), data)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


State = Literal["unsynced", "synced", "given up"]


@dataclass(slots=True)
class File:
    """What is surely on the disk, and what may be, oldest first."""

    sure: bytearray = field(default_factory=bytearray)
    maybe: list[tuple[Step, State]] = field(default_factory=list[tuple[Step, State]])
    """What is synced, but stands on something that isn't, waits here too."""
    is_named: bool = False
    is_doomed: bool = False
    """It was unlinked, and the folder wasn't synced since."""

    def sync(self) -> None:
        self._all("unsynced", "synced")
        while self.maybe and self.maybe[0][1] == "synced":
            apply(self.sure, self.maybe.pop(0)[0])

    def fail(self) -> None:
        self._all("unsynced", "given up")

    def _all(self, was: State, becomes: State) -> None:
        self.maybe = [(step, becomes if now == was else now) for step, now in self.maybe]


class Disk:
    """The state after some steps."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.marks = bytearray()

    def take(self, step: Step) -> None:
        if step.kind == "mark":
            self.marks += step.data
        elif step.kind == "sync folder":
            for name, file in list(self.files.items()):
                file.is_named = True
                if file.is_doomed:
                    del self.files[name]
        elif step.kind == "make":
            file = self.files.setdefault(step.file, File())
            if file.is_doomed:
                self.files[step.file] = File()
        elif (file := self.files.get(step.file)) is not None:
            if step.kind == "unlink":
                file.is_doomed = True
            elif step.kind == "sync":
                file.sync()
            elif step.kind == "sync failed":
                file.fail()
            else:
                file.maybe.append((step, "unsynced"))

    def image(self, random: Random, sector: int, *, keep: float) -> dict[str, bytes]:
        """What a power cut at this moment may leave, by name. `keep` is the part of what wasn't
        synced that has reached the disk anyway."""
        left: dict[str, bytes] = {}
        for name, file in self.files.items():
            if not file.is_named and random.random() >= keep:
                continue
            if file.is_doomed and random.random() < keep:
                continue
            content = bytearray(file.sure)
            for step, state in file.maybe:
                for part in _torn(step, sector):
                    if state == "synced" or random.random() < keep:
                        apply(content, part)
            left[name] = bytes(content)
        return left


def _torn(step: Step, sector: int) -> Iterator[Step]:
    """A write in the sectors that it goes to; each may reach the disk without the others."""
    if step.kind != "write":
        yield step
        return
    begin, end = step.at, step.at + len(step.data)
    while begin < end:
        stop = min(end, (begin // sector + 1) * sector)
        yield step._replace(at=begin, data=step.data[begin - step.at : stop - step.at])
        begin = stop


def apply(content: bytearray, step: Step) -> None:
    if step.kind == "truncate":
        del content[step.at :]
        content += bytes(step.at - len(content))
        return
    content += bytes(max(0, step.at - len(content)))  # a hole reads as zeros
    content[step.at : step.at + len(step.data)] = step.data
