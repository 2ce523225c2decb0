"""DECLARE: what a setting is. Pure; the engine, the codec and every binding read these facts.

    class TravelSettings(Settings, tool="travel-ui-state", edit="shot"):
        prompt: str = setting("", inherit=False, max_length=5000)
        frames: int = setting(61, ge=1, le=241, title="Frames")

`Settings` is a pydantic model, so the names and types are visible to a type checker. Another front
end (`persistence.reflex`) builds the same `ToolSpec` with `declare_tool`. A wrong declaration fails
at import, as a `DeclarationError` with a hint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Unpack,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
)

import pydantic
from pydantic.fields import FieldInfo

from .errors import DeclarationError
from .presentation import check_condition, check_presentation
from .specs import (
    NAME,
    UNSET,
    Constraints,
    Declaration,
    Facts,
    Flush,
    Migration,
    Presentation,
    SettingSpec,
    ToolSpec,
    Validator,
    explain_error,
)

RESERVED = frozenset(
    (
        "actor", "aside", "block", "capture", "choose_edit_scope", "close", "conflicts", "copy",
        "denied", "dict", "dirty_vars", "discard", "edit_scope", "enforce", "epoch", "errors",
        "explain", "flush", "gesture", "get", "get_delta", "get_state", "hidden", "hold", "info",
        "is_dirty", "is_saving", "json", "last_error", "last_saved", "mark_as_interacted",
        "on_change", "origin", "origins", "owners", "parent_state", "pin", "ready", "refused",
        "relax", "release", "remove_key", "reset", "reset_field", "reset_fields", "retry", "revert",
        "router", "save", "schema", "set", "set_key", "show", "shown", "spec", "stack", "status",
        "substates", "target", "update", "update_field", "update_fields", "validate", "values",
    )
)  # fmt: skip
"""Names of the machinery on bindings and states, which a setting can't take."""

_TOOL = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")


def setting(
    default: Any = UNSET,
    *,
    default_factory: Callable[[], Any] | None = None,
    title: str = "",
    help: str = "",  # noqa: A002  # the word of DECLARE
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    secret: bool = False,
    **facts: Unpack[Facts],
) -> Any:
    """Declare one setting of a `Settings` class.

    `scopes` lists where it may be set (all, if not given). `inherit=False` is content: it stops at
    its own layer. `merge=True` merges dicts key by key over the layers. `flush="now"` doesn't wait
    for the debounce. `secret=True` is stored encrypted and never in the history. `alias` is the
    name on the wire and in exports (camelCase of the name, if not given). The other keywords are
    pydantic's constraints, and how panels show it: `group`, `widget`, `labels`, `placeholder`,
    `unit` and `shown_if` (see `Presentation`).
    """
    constraints, presentation = split_facts(facts)
    if isinstance(scopes, str) or (scopes is not None and not (scopes := tuple(scopes))):
        raise DeclarationError(
            f"setting(…, scopes={scopes!r})",
            "isn't a list of scopes",
            hint='Write scopes=("shot",), or leave it out to allow all.',
        )
    declared = Declaration(
        default,
        default_factory,
        title,
        help,
        alias,
        None if scopes is None else tuple(scopes),
        inherit,
        merge,
        flush,
        secret,
        constraints,
        presentation,
    )
    info: Any = (
        pydantic.Field(default_factory=declared.factory(), **constraints)
        if default is not UNSET or default_factory is not None
        else pydantic.Field(**constraints)
    )
    info.metadata.append(declared)
    return info


def split_facts(facts: Facts) -> tuple[Constraints, Presentation]:
    """The keywords of a setting by what they are about. Raises DeclarationError for others."""
    if unknown := facts.keys() - Facts.__annotations__.keys():
        raise DeclarationError(
            f"setting(…, {', '.join(sorted(unknown))}=…)",
            "unknown keywords",
            hint=f"Constraints are {', '.join(Constraints.__annotations__)}; for panels there are "
            f"{', '.join(Presentation.__annotations__)}.",
        )
    rules = {name: fact for name, fact in facts.items() if name in Constraints.__annotations__}
    shown = {name: fact for name, fact in facts.items() if name not in rules}
    return cast(Constraints, rules), cast(Presentation, shown)


registry: dict[str, ToolSpec] = {}
"""Every declared tool by its id, in this process."""


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def validates(*names: str) -> Callable[[Validator], Any]:
    """Check several settings together, before an edit of any of them is accepted.

        @validates("first", "last")
        def in_order(values):
            if values["first"] > values["last"]:
                raise ValueError("first must not lie after last")

    The function takes the effective values as they would be; it raises ValueError to refuse.
    """

    def mark(function: Validator) -> Any:
        function.__validates__ = names  # type: ignore[attr-defined]  # read by collect_validators
        return staticmethod(function)

    return mark


def collect_validators(
    namespace: Mapping[str, Any],
) -> tuple[tuple[tuple[str, ...], Validator], ...]:
    """The functions in a class body that `validates` marked."""
    found: list[tuple[tuple[str, ...], Validator]] = []
    for value in namespace.values():
        function = value.__func__ if isinstance(value, staticmethod) else value
        if names := getattr(cast(Any, function), "__validates__", None):
            found.append((names, cast(Validator, function)))
    return tuple(found)


def make_setting(where: str, name: str, annotation: Any, declared: Declaration) -> SettingSpec:
    """Give a declaration its name and type. Raises DeclarationError.

    What `Annotated[...]` has beside the type is checked with each value, as pydantic does.
    """
    at = f"{where}.{name}"
    annotation, *rules = get_args(annotation) if _is_annotated(annotation) else (annotation,)

    def refuse(problem: str, hint: str) -> DeclarationError:
        return DeclarationError(at, problem, hint=hint)

    if name in RESERVED or name.startswith("model_"):
        raise refuse("is a name of the machinery", f"Call it {name}_value, or more to the point.")
    if not NAME.fullmatch(name):
        raise refuse("is private or too long", "Start with a letter; up to 100 characters.")
    if declared.default is UNSET and declared.default_factory is None:
        raise refuse("has no default", "Give setting(...) a default or a default_factory.")
    if declared.default is not UNSET and declared.default_factory is not None:
        raise refuse("has both a default and a default_factory", "Keep one of them.")
    if declared.merge and not _is_mapping(annotation):
        raise refuse("merges, but isn't a dict", "Declare dict[str, ...], or drop merge=True.")
    if declared.secret and (declared.merge or not declared.inherit):
        raise refuse("is a secret that merges or doesn't inherit", "Keep a secret plain.")
    if declared.flush not in ("debounced", "now"):
        raise refuse(f"flush={declared.flush!r}", 'Use "debounced" or "now".')
    spec = SettingSpec(
        name,
        declared.alias or camel_case(name),
        annotation,
        declared.factory(),
        declared.title or name.replace("_", " ").capitalize(),
        declared.help,
        declared.scopes,
        declared.inherit,
        declared.merge,
        declared.flush,
        declared.secret,
        declared.constraints,
        presentation=declared.presentation,
        rules=tuple(rules),
    )
    try:
        adapter = spec.adapter
        adapter.json_schema()
    except Exception as error:  # noqa: BLE001  # pydantic raises many kinds
        raise refuse(f"can't be stored ({error})", "Use types that have a form in JSON.") from None
    try:
        adapter.validator.validate_python(spec.default(), strict=True)
    except pydantic.ValidationError as error:
        raise refuse(
            f"the default breaks its own rule: {explain_error(error)}", "Change one of the two."
        ) from None
    except TypeError as error:  # a constraint that the type can't have: max_length of a bool
        raise refuse(f"has a rule that doesn't fit ({error})", "Drop that constraint.") from None
    check_presentation(at, spec)
    return spec


def _is_annotated(annotation: Any) -> bool:
    return get_origin(annotation) is Annotated


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or annotation is dict


def declare_tool(
    where: str,
    *,
    tool: str | None,
    edit: str | None,
    fields: Mapping[str, SettingSpec],
    version: int = 1,
    migrations: Mapping[int, Migration] | None = None,
    validators: tuple[tuple[tuple[str, ...], Validator], ...] = (),
    title: str = "",
) -> ToolSpec:
    """Check a tool as a whole and register it. `where` is the class, for messages.

    Raises DeclarationError. The same class may be declared again (a module that is imported
    twice); another class with the same tool id may not.
    """
    if not tool:
        raise DeclarationError(where, "no tool", hint='Write class …(…, tool="its-id").')
    if not _TOOL.fullmatch(tool):
        raise DeclarationError(
            where,
            f"{tool!r} can't name a tool",
            hint="Letters, digits, '.', '_' and '-', up to 100 characters.",
        )
    if (other := registry.get(tool)) is not None and other.declared_by != where:
        raise DeclarationError(
            where, f"{tool!r} is declared by {other.declared_by}", hint="Pick another tool id."
        )
    if len({spec.alias for spec in fields.values()}) < len(fields):
        raise DeclarationError(where, "two settings share an alias", hint="Rename one alias.")
    steps = dict(migrations or {})
    if version < 1 or set(steps) != set(range(1, version)):
        raise DeclarationError(
            where,
            f"version {version} with migrations from {sorted(steps)}",
            hint="Give one migration from each version 1 … version - 1 to its next.",
        )
    for names, _ in validators:
        if missing := [name for name in names if name not in fields]:
            raise DeclarationError(
                where, f"validates {missing}, which it doesn't declare", hint="Name its settings."
            )
    for spec in fields.values():
        check_condition(f"{where}.{spec.name}", spec, fields)
    spec = ToolSpec(
        tool, edit or "", MappingProxyType(dict(fields)), version, steps, validators,
        title or tool, where,
    )  # fmt: skip
    registry[tool] = spec
    return spec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting,))
class _SettingsMeta(type(pydantic.BaseModel)):
    """Says in our words, with a hint, what pydantic refuses while it makes the class."""

    def __new__(cls, name: str, *args: Any, **keywords: Any) -> Any:
        try:
            return super().__new__(cls, name, *args, **keywords)
        except pydantic.PydanticUserError as error:
            raise DeclarationError(
                name, error.message, hint="A setting's name starts with a letter."
            ) from None


class Settings(pydantic.BaseModel, metaclass=_SettingsMeta):
    """Base of a plain declaration. Subclass with `tool=` and `edit=`; see the module's docstring.

    Class keywords: `tool` (its id), `edit` (the scope that edits go to by default; the strongest
    one, if not given), `version` and `migrations`, `title`.
    """

    model_config = pydantic.ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False
    )
    __tool__: ClassVar[ToolSpec]

    def __init_subclass__(
        cls,
        *,
        tool: str | None = None,
        edit: str | None = None,
        version: int = 1,
        migrations: Mapping[int, Migration] | None = None,
        title: str = "",
        **unknown: Any,
    ) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        *,
        tool: str | None = None,
        edit: str | None = None,
        version: int = 1,
        migrations: Mapping[int, Migration] | None = None,
        **unknown: Any,
    ) -> None:
        title = cls.model_config.get("title") or ""  # pydantic takes that keyword for itself
        where = f"{cls.__module__}.{cls.__qualname__}"
        if unknown:
            raise DeclarationError(
                where,
                f"unknown keywords {sorted(unknown)}",
                hint="Known are tool, edit, version, migrations, title.",
            )
        if any("__tool__" in base.__dict__ for base in cls.__mro__[1:]):
            raise DeclarationError(
                where, "extends a tool", hint="Share settings through a class without tool=."
            )
        fields = {name: _make_setting(where, name, info) for name, info in cls.model_fields.items()}
        if private := [name for name in cls.__private_attributes__ if not name.startswith("__p")]:
            raise DeclarationError(
                where, f"{private[0]} is private", hint="A setting's name starts with a letter."
            )
        if tool is None and edit is None:
            return  # a group of settings for others to share
        cls.__tool__ = declare_tool(
            where,
            tool=tool,
            edit=edit,
            fields=fields,
            version=version,
            migrations=migrations,
            validators=collect_validators({n: v for b in cls.__mro__ for n, v in vars(b).items()}),
            title=title,
        )


def _make_setting(where: str, name: str, info: FieldInfo) -> SettingSpec:
    declared = _declaration(where, name, info)
    own = pydantic.Field(**declared.constraints).metadata  # which pydantic lists there, too
    rules = [each for each in info.metadata if each is not declared and each not in own]
    annotation = Annotated[info.annotation, *rules] if rules else info.annotation
    return make_setting(where, name, annotation, declared)


def _declaration(where: str, name: str, info: FieldInfo) -> Declaration:
    found = next((item for item in info.metadata if isinstance(item, Declaration)), None)
    if found is not None:
        return found
    if info.default_factory is not None or info.is_required():
        raise DeclarationError(
            f"{where}.{name}", "isn't a setting", hint=f"Write {name}: … = setting(…)."
        )
    return Declaration(info.default)


def tool_of(settings: type[Any] | ToolSpec) -> ToolSpec:
    """The tool that a settings class declares. Raises TypeError for any other class."""
    if isinstance(settings, ToolSpec):
        return settings
    if (spec := settings.__dict__.get("__tool__")) is None:
        raise TypeError(f"{settings.__qualname__} declares no tool; give its class tool=…")
    return spec
