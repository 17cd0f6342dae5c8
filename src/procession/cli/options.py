"""Settings classes -> flags, variables and keys of a TOML file, all from the one definition in `procession.config`.

What is nearer wins: a flag, then a variable, then the file, then the default.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from procession.config import AgentSettings, ClientSettings, ServerSettings
from procession.errors import UsageError

CONFIG_FILE = "procession.config-file"
"""Where a click context keeps which file was read."""

SETTINGS = (ServerSettings, AgentSettings, ClientSettings)

Settings = TypeVar("Settings")
Command = TypeVar("Command", bound=Callable[..., Any])


class TextList(click.ParamType[tuple[str, ...]]):
    """`a,b,c`, or a list in a TOML file."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, str):
            value = value.split(",")
        return tuple(item.strip() for item in value if item.strip())


class RepeatedText(click.types.StringParamType):
    """One of several: each has a flag of its own; a variable holds them with commas in between, or with line ends."""

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return [item.strip() for item in rv.split("\n" if "\n" in rv else ",") if item.strip()]


@dataclasses.dataclass(frozen=True)
class Setting:
    """One field of a settings class, under its three names."""

    field: dataclasses.Field[Any]
    kind: Any
    """Its type: str, int, float, bool or `tuple[str, ...]`: texts with commas in between, or with a flag for each."""

    @property
    def key(self) -> str:
        return self.field.name.replace("_", "-")

    @property
    def flag(self) -> str:
        return f"--{self.key}"

    @property
    def variables(self) -> tuple[str, ...]:
        """The first that is set counts."""
        return (f"PROCESSION_{self.field.name.upper()}", *self.field.metadata.get("envvars", ()))

    @property
    def is_repeated(self) -> bool:
        return bool(self.field.metadata.get("repeated", False))

    def option(self) -> click.Option:
        metadata = self.field.metadata
        default = self.field.default
        return click.Option(
            [f"{self.flag}/--no-{self.key}" if self.kind is bool else self.flag],
            type=RepeatedText() if self.is_repeated else self.type(),
            multiple=self.is_repeated,
            default=default,
            # An empty default means "see the help text", and a secret is nobody's default.
            show_default=default not in ("", ()) and not metadata.get("secret", False),
            envvar=list(self.variables),
            show_envvar=True,
            help=metadata["help"],
            metavar=metadata.get("metavar"),
        )

    def as_variable(self, value: Any) -> str:
        """The value as one of its variables holds it."""
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, tuple):
            return str(value)
        # A regular expression may have commas.
        has_commas = self.is_repeated and any("," in item for item in value)
        return "".join(f"{item}\n" for item in value) if has_commas else ",".join(value)

    def type(self) -> click.ParamType[Any]:
        minimum = self.field.metadata.get("minimum")
        if self.kind is int:
            return click.IntRange(min=minimum)
        if self.kind is float:
            return click.FloatRange(min=minimum)
        if self.kind is bool:
            return click.BOOL
        return click.STRING if self.kind is str else TextList()

    def from_toml(self, value: Any) -> Any:
        """The value of a TOML file, checked. Raises ValueError with the rule that it breaks."""
        wanted = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}
        if self.is_repeated and isinstance(value, str):
            return value
        if self.kind is float and type(value) is int:
            value = float(value)
        if self.kind in wanted and type(value) is not self.kind:
            raise ValueError(f"is not {wanted[self.kind]}")
        if self.kind not in wanted and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ValueError("is not a list of texts")
        try:
            return self.type().convert(value, None, None)
        except click.BadParameter as error:
            raise ValueError(f"is not right: {error.message.rstrip('.')}") from None


def settings_of(settings_class: type[Any]) -> Iterator[Setting]:
    kinds = typing.get_type_hints(settings_class)
    for field in dataclasses.fields(settings_class):
        yield Setting(field, kinds[field.name])


def settings_options(
    *settings_classes: type[Any], only: tuple[str, ...] | None = None, without: tuple[str, ...] = ()
) -> Callable[[Command], Command]:
    """Give a command an option for each setting of these classes, or for some by name, and `--config`."""
    settings: dict[str, Setting] = {}
    for settings_class in settings_classes:
        for setting in settings_of(settings_class):
            settings.setdefault(setting.field.name, setting)

    def decorate(command: Command) -> Command:
        names = [name for name in settings if name not in without and (only is None or name in only)]
        options = [settings[name].option() for name in names]
        # click keeps a function's options here, the last first, until the function becomes a command.
        command.__dict__.setdefault("__click_params__", []).extend(reversed([*options, _config_option()]))
        return command

    return decorate


def read_settings(settings_class: type[Settings], values: Mapping[str, Any], **fixed: Any) -> Settings:
    """The settings among a command's parameters; `fixed` are those that the command itself decides."""
    names = [field.name for field in dataclasses.fields(settings_class)]  # type: ignore[arg-type]
    nearest = _without_farther_secrets(values)
    return settings_class(**{name: nearest[name] for name in names if name in nearest} | fixed)


def _without_farther_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """A secret may be given itself or in a file. Of a flag for one and a variable for the other, the flag wins."""
    ctx = click.get_current_context(silent=True)
    kept = dict(values)
    for name in values:
        file = f"{name}_file"
        if ctx is not None and values[name] and values.get(file):
            sources = {one: _FROM_NEAR_TO_FAR.index(ctx.get_parameter_source(one)) for one in (name, file)}
            if sources[name] != sources[file]:
                del kept[max(sources, key=sources.__getitem__)]
    return kept


_FROM_NEAR_TO_FAR: tuple[click.core.ParameterSource | None, ...] = (
    click.core.ParameterSource.COMMANDLINE,
    click.core.ParameterSource.PROMPT,
    click.core.ParameterSource.ENVIRONMENT,
    click.core.ParameterSource.DEFAULT_MAP,
    click.core.ParameterSource.DEFAULT,
    None,
)


def _config_option() -> click.Option:
    return click.Option(
        ["--config"],
        metavar="FILE",
        envvar="PROCESSION_CONFIG",
        show_envvar=True,
        # Eager: what it finds are the defaults of the others.
        is_eager=True,
        expose_value=False,
        callback=_use_config_file,
        help="TOML file with settings [config.toml in the user's configuration folder, or in /etc/procession].",
    )


def _use_config_file(ctx: click.Context, _param: click.Parameter, named: str | None) -> None:
    path = Path(named) if named else next(filter(_is_there, config_files()), None)
    if path is not None:
        ctx.meta[CONFIG_FILE] = path
        values = read_config_file(path)
        ctx.default_map = {**(ctx.default_map or {}), **values, **_in_number(ctx.command, values)}


def _is_there(path: Path) -> bool:
    """The home folder of a service's user may be somebody else's, which it may not look into."""
    try:
        return path.is_file()
    except OSError:
        return False


def _in_number(command: click.Command, values: Mapping[str, Any]) -> dict[str, Any]:
    """What one command takes once and another may take several times, as this one wants it."""
    fitted: dict[str, Any] = {}
    for option in command.params:
        value = values.get(option.name or "")
        if isinstance(option, click.Option) and option.multiple and isinstance(value, str):
            fitted[option.name or ""] = (value,)
        elif isinstance(value, tuple) and option.type is click.STRING:
            fitted[option.name or ""] = next(iter(value), "")
    return fitted


def restriction_options(command: Command) -> Command:
    """`--rows` and `--without-arguments`: how a reader is restricted."""
    rows = "Only processes with these tags are shown, counted and followed, such as env:prod,team:web [all]."
    without = "Of command lines only the program is shown, and nothing is found or sorted by the rest."
    with_rows = click.option("--rows", metavar="TAGS", default="", help=rows)
    with_both = click.option("--without-arguments", is_flag=True, help=without)
    return with_rows(with_both(command))


def config_files() -> tuple[Path, ...]:
    """Where a configuration file is looked for, the nearest first."""
    import platformdirs

    return (Path(platformdirs.user_config_dir("procession")) / "config.toml", Path("/etc/procession/config.toml"))


def read_config_file(path: Path) -> dict[str, Any]:
    """Settings by their field's name. Raises UsageError for what cannot be read, is unknown, or is of a wrong kind."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the configuration file {path}: {os.strerror(error.errno or 0)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the configuration file {path}: it is not TOML: {error}") from None

    known = {setting.key: setting for settings_class in SETTINGS for setting in settings_of(settings_class)}
    # What may be given several times to one command says so for all of them.
    known |= {setting.key: setting for setting in settings_of(AgentSettings) if setting.is_repeated}
    values = {}
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"{path}: there is no setting {key!r}{_nearest(key, known)}")
        try:
            values[known[key].field.name] = known[key].from_toml(value)
        except ValueError as error:
            shown = "..." if known[key].field.metadata.get("secret") else repr(value)
            raise UsageError(f"{path}: {key} = {shown} {error}") from None
    return values


def _nearest(key: str, known: Mapping[str, Setting]) -> str:
    import difflib

    found = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
    return f"; did you mean {found[0]!r}?" if found else "; `procession up --help` lists them"
