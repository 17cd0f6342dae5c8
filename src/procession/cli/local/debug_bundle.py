"""What is in a debug bundle: its files by name, without secrets.

Secrets are kept out twice. Nothing that may be one is put in: of secret settings and of variables it is said that they
are set. And out of each text, before it is handed on, all secrets are taken that this machine knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from procession.accounts.orgs import KeyKind
from procession.cli.access import Access, in_file
from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.system_report import system_facts, versions
from procession.cli.options import SETTINGS, Setting, read_config_file, settings_of
from procession.config import ClientSettings
from procession.errors import UsageError
from procession.scrubbing import MASK
from procession.scrubbing.redaction import shown_setting, without_login, without_secrets

README = """What `procession debug bundle` has found, for whoever looks for a fault.

versions.json      of Procession, Python and libraries
system.json        the machine, and the data folder: names and sizes of its files
settings.json      as commands find them here: value, and where it comes from
variables.json     names of variables that may matter; never their values
server.json        what the server says of itself: settings in force, threads, errors of the store's engine
store.json         tables: rows, parts, bytes; how far back they reach
metrics.txt        what the server counts
log.txt            the last lines of its log
problems.txt       what could not be found, and why

Keys, passwords, command lines of processes and values of variables are left out; in the log, words that look like
secrets are ********. Look at it before you send it.
"""

_OURS = re.compile(r"(PROCESSION|DD|OTEL|CLICKHOUSE|CHDB)_|.*_proxy$|PATH$|LANG$|LC_|TZ$|PYTHON", re.IGNORECASE)
_SECRET_NAME = re.compile(r"key|secret|token|passw|pwd|credential|auth|cookie|dsn", re.IGNORECASE)
_IN_URL = re.compile(r"://[^/\s@?#:]*:([^/\s?#]+)@")
_FILES_OF_SECRETS = ("api_key_file", "application_key_file", "store_password_file")
_LEAST_LENGTH = 4
"""What is shorter is part of any text, and nobody's secret."""


def collect(
    settings: ClientSettings, config_file: Path | None, environment: Mapping[str, str], now: int
) -> dict[str, str]:
    """All files but those that could not be made."""
    local = LocalFiles.of(settings.data_dir)
    problems: list[str] = []

    def attempt(name: str, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except (UsageError, OSError, ValueError) as error:
            problems.append(f"{name}: {error}")
            return None

    in_config = attempt("configuration", lambda: read_config_file(config_file) if config_file else {}) or {}
    found: dict[str, Any] = {
        "versions.json": attempt("versions", versions),
        "system.json": attempt("system", lambda: system_facts(local.data_dir, now)),
        "settings.json": {"file": str(config_file) if config_file else None} | _settings(in_config, environment),
        "variables.json": sorted(name for name in environment if _OURS.match(name)),
    }
    access = Access.of(settings)
    if local.address() is None:
        problems.append(f"server: none runs on {local.data_dir}")
    else:
        server = attempt("server", lambda: access.administer("GET", "/api/procession/v1/admin/debug")) or {}
        found["log.txt"] = "".join(f"{line}\n" for line in server.pop("log", ()))
        found["server.json"] = server or None
        found["store.json"] = attempt("store", lambda: access.read("/api/procession/v1/store", {}))
        found["metrics.txt"] = attempt("metrics", lambda: access.read_text("/metrics"))
    texts = {name: _text(value) for name, value in found.items() if value is not None}
    texts["problems.txt"] = "".join(f"{without_secrets(problem)}\n" for problem in problems)
    known = {form for secret in secrets(local, in_config, environment) for form in _forms(secret)}
    return {"README.txt": README} | {
        name: _without(text, sorted(known, key=len, reverse=True)) for name, text in texts.items()
    }


def secrets(local: LocalFiles, in_config: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """All that this machine knows of."""
    texts = [local.secret(kind) or "" for kind in KeyKind]
    given = [*environment.values(), *map(str, in_config.values())]
    texts += [password for value in given for password in _IN_URL.findall(value)]
    for setting in _all_settings():
        for value in (*(environment.get(name) for name in setting.variables), in_config.get(setting.field.name)):
            items = value.split(",") if isinstance(value, str) else value if isinstance(value, tuple) else ()
            if setting.field.metadata.get("secret"):
                texts += items
            elif setting.field.name in _FILES_OF_SECRETS:
                texts += [text for path in items for text in _read(path)]
    yield from (text.strip() for text in texts if len(text.strip()) >= _LEAST_LENGTH)
    # Of other programs, by the names of their variables: what is short may be no secret, such as "true".
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and not name.endswith("_FILE") and len(value) >= 2 * _LEAST_LENGTH:
            yield value


def _forms(secret: str) -> tuple[str, ...]:
    """As it stands in text, in JSON, and in an address."""
    return secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe="")


def _read(path: str) -> list[str]:
    try:
        return [in_file(path)]
    except UsageError:
        return []


def _settings(in_config: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for setting in _all_settings():
        variable = next((name for name in setting.variables if environment.get(name)), None)
        if variable is not None:
            is_secret = setting.field.metadata.get("secret")
            value: Any = MASK if is_secret else without_login(environment[variable])
            found[setting.key] = {"value": value, "from": variable}
        elif setting.field.name in in_config:
            value = shown_setting(setting.field, in_config[setting.field.name])
            found[setting.key] = {"value": value, "from": "configuration file"}
    return {"given": found}


def _all_settings() -> Iterator[Setting]:
    for settings_class in SETTINGS:
        yield from settings_of(settings_class)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _without(text: str, known: list[str]) -> str:
    for secret in known:
        text = text.replace(secret, MASK)
    return text
