"""What hostile clients send: values, names, ids, bodies and headers, to draw from by chance."""

from __future__ import annotations

import inspect
from random import Random
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

NAMES: tuple[str, ...] = (
    "__class__", "__dict__", "__init__", "_hidden", "_set", "router", "a.b", "", " ", ".", "..",
    "frame\u0455", "\u0440rompt", "prompt\u200b", "x" * 10_000, "constructor", "__proto__",
    "is_hydrated", "dirty_vars", "substates", "parent_state",
)  # fmt: skip
"""Names of fields, tools, scopes and vars."""

TEXTS: tuple[str, ...] = (
    "\0", "a\0b", "\ud800", "\udfff x", "\u202e txet", "\u2066\u2069", "e" + "\u0301" * 10_000,
    "x" * 100_000, '"', "'", "*", "AND", "NEAR(", "%", "_", "\\", "'; DROP TABLE x;--",
    "${7*7}", "{{7*7}}", "%s%n", "{0.__class__}", "\r\nSet-Cookie: a=b", "\x1b[31m",
    "<iframe srcdoc='<script>alert(1)</script>'>", "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))", "<style>*{display:none}</style>", "<base href=//evil>",
    "<meta http-equiv=refresh content='0;//evil'>", "javascript:alert(1)", "//evil.example",
    "true", "null", "NaN", "-1", "1e400", "\ufeff", "\U0001f469\u200d\U0001f680" * 50,
)  # fmt: skip

NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2**31, 2**53, 2**63, -(2**63) - 1, 10**400, 1.5, -0.0, 1e308, 5e-324, True, False,
)  # fmt: skip

IDS: tuple[Any, ...] = (
    "", "0", "null", "x" * 21, "x" * 22, "x" * 23, "x" * 64, "x" * 65, "..%2f..%2f", "%00", "a/b",
    "a:b", "*", "[a-z]*", "a ", "../../etc/passwd", None, [], ["a"], {}, {"$ne": ""}, 0, True,
)  # fmt: skip


def deep(levels: int) -> Any:
    made: Any = 1
    for _ in range(levels):
        made = [made]
    return made


STRUCTURES: tuple[Any, ...] = (
    None, [], {}, [[]], [None], {"": None}, {"a": {"a": {"a": 1}}}, deep(50), deep(61), deep(500),
    {str(number): number for number in range(2_000)}, ["x"] * 2_000,
    {"__reflex_form_data__": []}, {"__reflex_form_data__": 1}, {"__reflex_form_data__": [1]},
    {"__reflex_form_data__": [["name", "x"], ["name", "y"]]}, {"set": {}, "remove": []},
    {"set": 1, "remove": {}}, {"__class__": "x", "constructor": {"prototype": {}}},
)  # fmt: skip

ANYTHING = (*NAMES, *TEXTS, *NUMBERS, *IDS, *STRUCTURES)


class Sender:
    """Draws what a client may send. `known` are real ids, words and names, everybody's."""

    def __init__(self, random: Random, known: list[str]) -> None:
        self.random, self.known = random, known

    def text(self) -> str:
        if self.random.random() < 0.6:
            return self.random.choice(self.known)
        return self.random.choice((*NAMES, *TEXTS))

    def anything(self) -> Any:
        return self.random.choice(ANYTHING) if self.random.random() < 0.7 else self.text()

    def form(self) -> dict[str, Any]:
        names = ("name", "password", "note", "value", "scope", "field", "to", "number", "text",
                 "document", "format", "owners", "fields", "actor", "version")  # fmt: skip
        chosen = self.random.sample(names, self.random.randint(0, 6))
        return {name: self.anything() for name in chosen}

    def fitting(self, hint: Any) -> Any:
        """A value of the type that is declared, where there is an easy one."""
        origin = get_origin(hint)
        if hint is str:
            return self.text()
        if hint is int:
            return self.random.choice([each for each in NUMBERS if type(each) is int] + [1, 2, 3])
        if hint is bool:
            return self.random.random() < 0.5
        if hint is float:
            return self.random.choice([each for each in NUMBERS if type(each) is float])
        if origin is dict:
            if get_args(hint)[1] is str:
                return {name: self.text() for name in ("name", "note", "to")[: self.number(4)]}
            return self.form()
        if origin is list:
            return [self.fitting(get_args(hint)[0]) for _ in range(self.number(4))]
        if origin is Literal:
            return self.random.choice(get_args(hint))
        if hint is NoneType:
            return None
        if origin in (Union, UnionType):
            return self.fitting(self.random.choice(get_args(hint)))
        return self.anything()

    def number(self, below: int) -> int:
        return self.random.randrange(below)

    def arguments(self, function: Any) -> dict[str, Any]:
        """What is sent to a handler: mostly as it declares, and sometimes anything."""
        _, *parameters = inspect.signature(function).parameters.values()
        hints = get_type_hints(function)
        sent: dict[str, Any] = {}
        wrong = self.random.random() < 0.3
        for each in parameters:
            if wrong and self.random.random() < 0.3:
                continue
            hint = hints.get(each.name, Any)
            is_wrong = wrong and self.random.random() < 0.5
            sent[each.name] = self.anything() if is_wrong else self.fitting(hint)
        if wrong and self.random.random() < 0.3:
            sent[self.random.choice(NAMES)[:60]] = self.anything()
        return sent

    def operation(self, targets: list[tuple[str, str, str]], fields: list[str]) -> Any:
        """An operation: all of it right, but for a part or two."""
        chance = self.random
        sent: dict[str, Any] = {
            "id": f"{chance.getrandbits(64):x}.{chance.getrandbits(16):08x}",
            "client": f"{chance.getrandbits(32):x}", "seq": chance.getrandbits(16),
            "target": list(chance.choice(targets)), "field": chance.choice(fields),
            "kind": chance.choice(("set", "keys", "reset", "block", "pin")), "base": 0,
            "value": chance.choice((self.anything(), True, False, "dark", "words", 3, ["a"])),
        }  # fmt: skip
        for _ in range(chance.choice((0, 0, 1, 2))):
            key = chance.choice((*sent, "actor", "version", "owner_id"))
            if key == "target" and chance.random() < 0.7:
                sent["target"][chance.randrange(len(sent["target"] or [1]))] = self.anything()
            elif chance.random() < 0.2:
                sent.pop(key, None)
            else:
                sent[key] = self.anything()
            if not isinstance(sent.get("target"), list):
                break
        return sent if chance.random() < 0.95 else self.anything()

    def frame(self) -> str:
        """A frame that is no event at all."""
        return self.random.choice((
            "", "4", "42", "42/_event", "42/_event,", "42/_event,{", "42/_event,[]",
            '42/_event,["event"]', '42/_event,["event",null]', '42/_event,["event",1,2,3]',
            '42/_event,["event","x"]', '42/_event,["event","{\\"name\\": 1}"]',
            '42/_event,["event",[]]', '42/_event,["event",{"name":1,"payload":[]}]',
            '42/_event,["_x",{}]', '42/_event,["on_event",{}]', '42/_event,["connect",{}]',
            '42/_event,["disconnect"]', '42/_event,["ping"]', '42/_event,["client_error"]',
            '42/_event,["client_error",{"message":"' + "x" * 5_000 + '"}]', "42/other,[1]",
            '42/_event,["event",{"name":"a","payload":{"a":NaN}}]', "5", "6", "9", "\ud800",
            '451-/_event,["event",{"_placeholder":true,"num":0}]', "43/_event,1[]", "2probe",
            '42/_event,["event","' + "x" * 1_100_000 + '"]',
            '42/_event,["event",' + "[" * 100_000 + "]" * 100_000 + "]",
            '42/_event,["event",' + "[" * 500 + "]" * 500 + "]",
            '42/_event,["event",{"name":"a","router_data":{"pathname":1,"query":[]}}]',
        ))  # fmt: skip
