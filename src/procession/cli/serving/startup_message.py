"""What `up` and `serve` say at their start."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from procession.accounts.orgs import KeyKind
from procession.cli.local.data_folder import LocalFiles

if TYPE_CHECKING:
    from procession.cli.local.local_keys import NewKey

LABELS = {KeyKind.API: "API key", KeyKind.APPLICATION: "application key", KeyKind.ADMIN: "admin key"}


def say_keys(local: LocalFiles, new_keys: Mapping[KeyKind, NewKey]) -> None:
    """The secrets just made, once; later where they are."""
    for kind, key in new_keys.items():
        value = f"the one in {key.variable}" if key.variable else key.secret
        click.echo(f"  {LABELS[kind] + ':':<17}{value}{_limits(kind, key)}")
    if new_keys:
        click.echo(f"  These are new. They are kept for the commands of this machine in {local.keys_dir}")
    else:
        click.echo(f"  The keys are in {local.keys_dir}")


def _limits(kind: KeyKind, key: NewKey) -> str:
    """What a key that others may have as well cannot do."""
    is_adopted = key.variable is not None and kind is KeyKind.APPLICATION
    return ", which reads processes and no monitors: `procession keys create` gives scopes" if is_adopted else ""


def curl_line(url: str, local: LocalFiles) -> str:
    api_key, application_key = (shlex.quote(str(local.key_file(k))) for k in (KeyKind.API, KeyKind.APPLICATION))
    return (
        f'curl -s -H "DD-API-KEY: $(cat {api_key})" -H "DD-APPLICATION-KEY: $(cat {application_key})" '
        f"'{url}/api/v2/processes?page%5Blimit%5D=2'"
    )


def python_snippet(url: str, local: LocalFiles) -> str:
    return f"""\
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.processes_api import ProcessesApi

configuration = Configuration(host={url!r})
configuration.api_key["apiKeyAuth"] = open({str(local.key_file(KeyKind.API))!r}).read().strip()
configuration.api_key["appKeyAuth"] = open({str(local.key_file(KeyKind.APPLICATION))!r}).read().strip()
for process in ProcessesApi(ApiClient(configuration)).list_processes(page_limit=5).data:
    print(process.attributes.pid, process.attributes.cmdline)
"""
