"""What does it cost to read an effective value, and to keep it right after a write?

Four layers, 200 settings. The dict that stands for the peer holds the effective values already:
nothing that resolves can be faster.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from persistence import Engine

from .declare import numbers
from .measure import Answer, Missing, calls, in_turns, peer, runner, show, times

SCOPES = ("user", "project", "shot", "take")
OWNERS = {scope: f"{scope}-1" for scope in SCOPES}
READS = "read an effective value: 4 layers, 200 settings"


def benchmark(quick: bool) -> Iterator[Answer]:
    rounds = 7 if quick else 21
    with runner() as loop:
        engine = Engine("memory:", scopes=SCOPES)
        loop.run(engine.start())
        binding = loop.run(_four_layers(engine, 200))
        yield from _reading(binding, rounds)
        for size in (5, 500):
            yield _updating(loop.run(_four_layers(engine, size)), size, rounds)
        loop.run(engine.stop())


def _reading(binding: Any, rounds: int) -> Iterator[Answer]:
    names = {"view": binding.view, "plain": binding.as_dict()}
    sides = {
        "view": calls("view.values['k7']", names),
        "dict": calls("plain['k7']", names),
    }
    if (manager := _django_preferences()) is not None:
        sides["django"] = calls("manager['general__k7']", {"manager": manager}, unroll=1)
    found = in_turns(sides, rounds)
    yield times(f"{READS} / one dict get", found["view"], found["dict"], "≤ 2")
    question = "the same / django-dynamic-preferences, cached"
    if manager is None:
        yield Missing(question, "django-dynamic-preferences")
    else:
        yield times(question, found["view"], found["django"], "≤ 0.01")


def _updating(binding: Any, size: int, rounds: int) -> Answer:
    """An edit waits in the strongest layer: patch the view with it, and nothing else."""
    names = {"patch": binding.view.patch, "plain": binding.as_dict()}
    found = in_turns(
        {
            "ours": calls("patch('k1', 3, 'user', None)", names),
            "peer": calls("plain['k1']", names),
        },
        rounds,
    )
    question = f"update the effective view after a write, {size} settings / one dict get"
    return times(question, found["ours"], found["peer"], "≤ 10")


async def _four_layers(engine: Engine, size: int) -> Any:
    """A tool of `size` settings, of which each layer overrides some."""
    tool = numbers(f"bench-{size}", size, edit="take")
    binding = await engine.open(tool, OWNERS)
    for step, scope in zip((5, 10, 20, 40), SCOPES, strict=True):
        binding.update(scope=scope, **{f"k{i}": i + step for i in range(0, size, step)})
    await binding.flush()
    binding.update(k1=-1)
    return binding


def _django_preferences() -> Any:
    """Global preferences behind Django's own cache in memory, all of them cached."""
    if peer("dynamic_preferences") is None:
        return None
    import django
    from django.conf import settings as django_settings
    from django.core.management import call_command

    django_settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{tempfile.mkdtemp()}/peer.db",
            }
        },
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "dynamic_preferences",
        ],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SECRET_KEY="bench",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from dynamic_preferences.preferences import Section
    from dynamic_preferences.registries import global_preferences_registry as registry
    from dynamic_preferences.types import IntegerPreference

    for i in range(20):
        facts = {"section": Section("general"), "name": f"k{i}", "default": i}
        registry.register(type(f"Preference{i}", (IntegerPreference,), facts))
    manager = registry.manager()
    for i in range(20):
        assert manager[f"general__k{i}"] == i
    return manager


if __name__ == "__main__":
    show(benchmark)
