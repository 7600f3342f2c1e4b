"""What a setting declares, and how settings are read from the environment.

Each is declared once: parsing, messages and the reference pages read it. A bad value is a
`ConfigError`: one line that names the variable, what it was, and what is allowed. An empty
variable counts as not set, because Kubernetes and compose files leave such variables.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import Struct

from orders_common.masking import masked_value
from orders_common.parse import Parser

TEXT: Final = "text without control characters"
"""What `parse.text` allows."""

_T = TypeVar("_T")

_SHOWN: Final = 80


class ConfigError(Exception):
    """A value that is not allowed; the message is one line for the operator."""


class Setting(Struct, frozen=True):
    """One setting and the variables it is read from.

    `names` are tried in order. A secret may also be given as the path of a file, in `<NAME>_FILE`.
    """

    field: str
    names: tuple[str, ...]
    parse: Parser
    default: Any
    allowed: str
    about: str
    group: str
    unit: str = ""
    secret: bool = False

    def row(self) -> str:
        """Return the setting's row of a reference page: names, default, allowed, meaning."""
        names = ", ".join(f"`{name}`" for name in self.names)
        default = "" if self.default in {None, "", ()} else f"`{_written(self.default)}`"
        unit = f" {self.unit}" if self.unit and default else ""
        secret = " A secret: `*_FILE` works." if self.secret else ""
        return f"| {names} | {default}{unit} | {self.allowed} | {self.about}{secret} |\n"


class InForce(Struct, frozen=True):
    """A setting's value and where it came from; `value` is masked if it is a secret."""

    name: str
    value: str
    source: str


class Reader:
    """Reads settings and notes what is in force.

    `names` has the variables that settings were read from, by field.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read from these variables."""
        self._environ = environ
        self.in_force: list[InForce] = []
        self.names: dict[str, str] = {}

    def group(self, settings: tuple[Setting, ...]) -> dict[str, Any]:
        """Return the values of settings, by field."""
        return {setting.field: self.read(setting) for setting in settings}

    def together(self, read: Callable[["Reader"], _T], settings: tuple[Setting, ...]) -> _T:
        """Read what is made of several settings.

        Args:
            read: makes it; a ValueError names the field that does not fit the others.
            settings: those that it reads.

        Raises:
            ConfigError: a value is not allowed.

        """
        try:
            return read(self)
        except ValueError as error:
            setting = next(setting for setting in settings if setting.field == str(error))
            name = self.given(setting) or setting.names[0]
            raise refusal(name, str(self.raw(name)), setting.allowed) from None

    def read(self, setting: Setting) -> Any:
        """Return the first of the setting's variables that is set, or its default."""
        for name in setting.names:
            text, source = self._text(setting, name)
            if text is None:
                continue
            self.names[setting.field] = name
            try:
                value = setting.parse(text)
            except ValueError:
                raise refusal(name, text, setting.allowed, secret=setting.secret) from None
            self.note(setting, value, source, name)
            return value
        return self.default(setting)

    def says(self, setting: Setting, value: Any) -> bool:
        """Whether a setting has this value; one that is wrong has none."""
        name = self.given(setting)
        try:
            return name is not None and setting.parse(self._environ[name]) == value
        except ValueError:
            return False

    def given(self, setting: Setting) -> str | None:
        """Return the variable that a setting would be read from."""
        return next((name for name in setting.names if self.raw(name) is not None), None)

    def unread(self, setting: Setting) -> Any:
        """Return the setting's default, as its variables do not count."""
        files = (self.raw(f"{name}_FILE") for name in setting.names if setting.secret)
        given = self.given(setting) is not None or any(files)
        self.note(setting, setting.default, "not read" if given else "default")
        return setting.default

    def instead(self, setting: Setting, value: Any, name: str) -> None:
        """Note that the value of a setting that was read came from another one's variable."""
        self.in_force = [e for e in self.in_force if e.name not in setting.names]
        self.note(setting, value, name)

    def default(self, setting: Setting) -> Any:
        """Return the setting's default, whatever its variables say."""
        self.note(setting, setting.default, "default")
        return setting.default

    def raw(self, name: str) -> str | None:
        """Return a variable's text; None when it is not set."""
        return self._environ.get(name) or None

    def note(self, setting: Setting, value: Any, source: str, name: str | None = None) -> None:
        """Note what is in force; a secret as `***`, and no credentials of a URL."""
        shown = "" if value is None else "***" if setting.secret else masked_value(_written(value))
        self.in_force.append(InForce(name or setting.names[0], shown, source))

    def _text(self, setting: Setting, name: str) -> tuple[str | None, str]:
        text = self.raw(name)
        path = self.raw(f"{name}_FILE") if setting.secret else None
        if path is None:
            return text, "environment"
        if text is not None:
            raise ConfigError(f"{name} and {name}_FILE are both set: set one of them")
        try:
            content = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8 text"
            raise refusal(f"{name}_FILE", path, f"a readable file ({why})") from None
        content = content.removesuffix("\n").removesuffix("\r")
        if not content:
            raise refusal(f"{name}_FILE", path, "a file that is not empty")
        return content, f"file {path}"


def refusal(name: str, value: str, allowed: str, *, secret: bool = False) -> ConfigError:
    """Return the error of a value: of a variable, or of a command's option, which has a name."""
    shown = "a secret" if secret else repr(excerpt(value))
    return ConfigError(f"{name} is {shown}; allowed: {allowed}")


def _written(value: Any) -> str:
    """Return a value as a variable may have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def excerpt(value: str) -> str:
    """Return the beginning of a value, without what looks like a secret."""
    value = masked_value(value)
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
