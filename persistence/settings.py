"""DECLARE: what a setting is. Pure; the engine, the codec and every binding read these facts.

    class TravelSettings(Settings, tool="travel-ui-state", edit="shot"):
        prompt: str = setting("", inherit=False, max_length=5000)
        frames: int = setting(61, ge=1, le=241, title="Frames")

`Settings` is a pydantic model, so the names and types are visible to a type checker. Another front
end (`persistence.reflex`) builds the same `ToolSpec` with `declare_tool`. A wrong declaration fails
at import, as a `DeclarationError` with a hint.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    get_args,
    get_origin,
)

import pydantic
from pydantic.fields import FieldInfo

from .errors import DeclarationError, InvalidValue, UnknownField

T = TypeVar("T")
Flush = Literal["debounced", "now"]
Migration = Callable[[dict[str, Any]], dict[str, Any]]
Validator = Callable[[Mapping[str, Any]], None]

RESERVED = frozenset(
    """
    actor block capture choose_edit_scope close conflicts copy dict discard edit_scope enforce epoch errors explain
    flush gesture get get_delta get_state hidden hold info is_dirty is_saving json last_error last_saved
    mark_as_interacted on_change origin origins owners pin ready refused relax release remove_key
    reset reset_field reset_fields retry revert router save schema set set_key show shown spec stack
    status substates parent_state dirty_vars target update update_field update_fields validate values
    """.split()
)
"""Names of the machinery on bindings and states, which a setting can't take."""

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}")
_TOOL = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")


class Constraints(TypedDict, total=False):
    """pydantic's constraints, which a setting takes as keywords."""

    ge: float
    gt: float
    le: float
    lt: float
    multiple_of: float
    min_length: int
    max_length: int
    pattern: str


class Unset:
    """The type of `UNSET`: nothing was written, nothing was given."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `setting(...)` was called with, before its name and type are known."""

    default: Any = UNSET
    default_factory: Callable[[], Any] | None = None
    title: str = ""
    help: str = ""
    alias: str = ""
    scopes: tuple[str, ...] | None = None
    inherit: bool = True
    merge: bool = False
    flush: Flush = "debounced"
    secret: bool = False
    constraints: Constraints = field(default_factory=Constraints)

    def factory(self) -> Callable[[], Any]:
        """Makes the default anew each time, so that nobody can change it in place."""
        if self.default_factory is not None:
            return self.default_factory
        if isinstance(self.default, str | int | float | bool | None):
            return partial(_same, self.default)
        return partial(copy.deepcopy, self.default)


def _same(value: Any) -> Any:
    return value


def setting(
    default: Any = UNSET,
    *,
    default_factory: Callable[[], Any] | None = None,
    title: str = "",
    help: str = "",
    alias: str = "",
    scopes: Iterable[str] | None = None,
    inherit: bool = True,
    merge: bool = False,
    flush: Flush = "debounced",
    secret: bool = False,
    **constraints: Unpack[Constraints],
) -> Any:
    """Declare one setting of a `Settings` class.

    `scopes` lists where it may be set (all, if not given). `inherit=False` is content: it stops at
    its own layer. `merge=True` merges dicts key by key over the layers. `flush="now"` doesn't wait
    for the debounce. `secret=True` is stored encrypted and never in the history. `alias` is the
    name on the wire and in exports (camelCase of the name, if not given). The other keywords are
    pydantic's constraints.
    """
    if unknown := constraints.keys() - Constraints.__annotations__.keys():
        raise DeclarationError(
            f"setting(…, {', '.join(sorted(unknown))}=…)",
            "unknown keywords",
            hint=f"Constraints are {', '.join(Constraints.__annotations__)}.",
        )
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
    )
    info: Any = (
        pydantic.Field(default_factory=declared.factory(), **constraints)
        if default is not UNSET or default_factory is not None
        else pydantic.Field(**constraints)
    )
    info.metadata.append(declared)
    return info


@dataclass(frozen=True, eq=False)
class SettingSpec:
    """One declared setting. `check` is the only way in for a value."""

    name: str
    alias: str
    annotation: Any
    default: Callable[[], Any]
    title: str
    help: str
    scopes: tuple[str, ...] | None
    inherit: bool
    merge: bool
    flush: Flush
    secret: bool
    constraints: Constraints
    declared: bool = True
    """False for a field of a tool that nobody declared: stored and returned as it is."""

    @cached_property
    def adapter(self) -> pydantic.TypeAdapter[Any]:
        """Strict: `True` is no int, "3" is no number; NaN and infinities are refused."""
        kind = Annotated[self.annotation, pydantic.Field(**self.constraints)]
        config = pydantic.ConfigDict(strict=True, allow_inf_nan=False)
        try:
            return pydantic.TypeAdapter(kind, config=config)
        except pydantic.PydanticUserError:  # models and typed dicts bring a config of their own
            return pydantic.TypeAdapter(kind)

    @cached_property
    def is_plain(self) -> bool:
        """Values of this type can't be changed in place, so that they need no copies."""
        return _is_plain(self.annotation)

    def check(self, value: Any) -> Any:
        """The value as it may be stored. Raises InvalidValue with the problem and the limit."""
        try:
            return self.adapter.validator.validate_python(value, strict=True)
        except pydantic.ValidationError as error:
            raise InvalidValue(self.name, explain_error(error)) from None
        except RecursionError:
            raise InvalidValue(self.name, "is nested too deeply, or contains itself") from None

    def parse(self, text: str) -> Any:
        """The value in canonical JSON text. Raises InvalidValue where it doesn't fit the type."""
        try:
            return self.adapter.validator.validate_json(text, strict=True)
        except pydantic.ValidationError as error:
            raise InvalidValue(self.name, explain_error(error)) from None

    def copy(self, value: Any) -> Any:
        """A value that the caller may change without touching ours."""
        return value if self.is_plain else copy.deepcopy(value)


def explain_error(error: pydantic.ValidationError) -> str:
    """pydantic's first complaint, with the path inside the value: "0.name: Field required"."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    text = first["msg"]
    more = error.error_count() - 1
    return (f"{path}: " if path else "") + text + (f" (and {more} more)" if more else "")


def _is_plain(annotation: Any) -> bool:
    if annotation in (str, int, float, bool, None, type(None)):
        return True
    origin = get_origin(annotation)
    if origin is Literal:
        return True
    if origin in (list, dict, set) or annotation in (list, dict, set, Any):
        return False
    if args := get_args(annotation):
        return all(_is_plain(arg) for arg in args if arg is not Ellipsis)
    return False


@dataclass(frozen=True, eq=False)
class ToolSpec:
    """One tool: its settings by name, where an edit goes by default, and its schema version."""

    tool: str
    edit: str
    fields: Mapping[str, SettingSpec]
    version: int = 1
    migrations: Mapping[int, Migration] = field(default_factory=dict[int, Migration])
    validators: tuple[tuple[tuple[str, ...], Validator], ...] = ()
    title: str = ""
    declared_by: str = ""

    @cached_property
    def by_alias(self) -> Mapping[str, SettingSpec]:
        return {spec.alias: spec for spec in self.fields.values()}

    @property
    def is_declared(self) -> bool:
        return bool(self.declared_by)

    def require(self, name: str) -> SettingSpec:
        """The setting of that name. Raises UnknownField, naming what there is."""
        if (spec := self.fields.get(name)) is not None:
            return spec
        if not self.is_declared and _NAME.fullmatch(name):
            return _undeclared(name)
        known = ", ".join(sorted(self.fields)[:12])
        raise UnknownField(str(name)[:80], f"{self.tool} has no such setting; it has {known}")

    def defaults(self) -> dict[str, Any]:
        return {name: spec.default() for name, spec in self.fields.items()}

    def migrate(self, values: dict[str, Any], version: int) -> dict[str, Any]:
        """Values written at an older version, in the shape of this one."""
        for step in range(version, self.version):
            values = self.migrations[step](dict(values))
        return values

    def check_together(self, values: Mapping[str, Any], changed: Iterable[str]) -> None:
        """Run the validators across fields that `changed` touches. Raises InvalidValue."""
        edited = set(changed)
        for names, validator in self.validators:
            if touched := [name for name in names if name in edited]:
                try:
                    validator(values)
                except ValueError as error:
                    raise InvalidValue(touched[0], str(error)) from None


def _undeclared(name: str) -> SettingSpec:
    return SettingSpec(
        name, name, Any, partial(_same, None), name, "", None, True, False, "debounced", False,
        Constraints(), declared=False,
    )  # fmt: skip


def undeclared_tool(tool: str, edit: str) -> ToolSpec:
    """A tool id that nobody declared: no defaults, but what is stored is returned."""
    return ToolSpec(tool, edit, MappingProxyType({}))


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
    """Give a declaration its name and type. Raises DeclarationError."""
    at = f"{where}.{name}"

    def refuse(problem: str, hint: str) -> DeclarationError:
        return DeclarationError(at, problem, hint=hint)

    if name in RESERVED or name.startswith("model_"):
        raise refuse("is a name of the machinery", f"Call it {name}_value, or more to the point.")
    if not _NAME.fullmatch(name):
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
    )
    try:
        adapter = spec.adapter
        adapter.json_schema()
    except Exception as error:  # pydantic raises many kinds for a type or constraint it can't take
        raise refuse(f"can't be stored ({error})", "Use types that have a form in JSON.") from None
    try:
        adapter.validator.validate_python(spec.default(), strict=True)
    except pydantic.ValidationError as error:
        raise refuse(
            f"the default breaks its own rule: {explain_error(error)}", "Change one of the two."
        ) from None
    except TypeError as error:  # a constraint that the type can't have: max_length of a bool
        raise refuse(f"has a rule that doesn't fit ({error})", "Drop that constraint.") from None
    return spec


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
        if spec.scopes is not None and edit is not None and edit not in spec.scopes:
            continue  # set elsewhere on purpose: an edit without a scope will say where
    spec = ToolSpec(
        tool, edit or "", MappingProxyType(dict(fields)), version, steps, validators,
        title or tool, where,
    )  # fmt: skip
    registry[tool] = spec
    return spec


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
        fields = {
            name: make_setting(where, name, info.annotation, _declaration(where, name, info))
            for name, info in cls.model_fields.items()
        }
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
