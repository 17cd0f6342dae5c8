"""Settings -> what the agent is made of."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

from procession.agent.collector import Scrub
from procession.agent.connector import ConnectorUnavailable, ProcConnector
from procession.agent.reader import DESCRIPTORS_EACH, MAX_KEPT_PROCESSES, ProcReader
from procession.agent.sender import Report
from procession.agent.short_lived import ShortLived
from procession.config import AgentSettings
from procession.errors import UsageError
from procession.scrub import Scrubber, sensitive_words

_DESCRIPTORS = 1024 + MAX_KEPT_PROCESSES * DESCRIPTORS_EACH


def listen_for_short_lived(reader: ProcReader, report: Report) -> ShortLived | None:
    """None without the right to it: then this is like any agent that only takes snapshots."""
    if not reader.is_live:
        return None
    try:
        connector = ProcConnector()
    except ConnectorUnavailable as error:
        if os.geteuid() == 0:
            report(f"processes that live between two snapshots are not seen: {error}")
        return None
    short_lived = ShortLived(connector, reader.look_at, reader.known, ticks_per_second=reader.ticks_per_second)
    short_lived.start()
    return short_lived


def host_of(settings: AgentSettings) -> str:
    host = (settings.hostname or socket.gethostname()).strip()
    if not host or len(host) > 255 or not host.isprintable():
        raise UsageError(f"{host!r} is no name of a host; --hostname gives one")
    return host


def api_key_of(settings: AgentSettings) -> str:
    key = settings.api_key.strip()
    if not key and settings.api_key_file:
        try:
            key = Path(settings.api_key_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not a text"
            raise UsageError(f"cannot read the API key in {settings.api_key_file}: {reason}") from None
    if not key:
        raise UsageError("there is no API key; give one by --api-key-file FILE or in DD_API_KEY")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError("the API key has characters that no key has")
    return key


def scrub_of(settings: AgentSettings, report: Report) -> Scrub:
    if not settings.scrub_args and not settings.strip_proc_arguments:
        return tuple
    # A Datadog Agent also takes them as a JSON list.
    words, refused = sensitive_words(word.strip(' []"') for word in settings.custom_sensitive_words)
    for reason in refused:
        report(f"{reason}; left out")
    return Scrubber(
        custom_words=words,
        strip_arguments=settings.strip_proc_arguments,
        url_passwords=settings.scrub_urls,
        client_passwords=settings.scrub_clients,
        more_forms=settings.scrub_more_forms,
    ).scrub


def allow_open_files() -> None:
    """As many as keeping the files of processes open is worth, if we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
