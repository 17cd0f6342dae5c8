"""Settings -> what the agent is made of."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from procession.agent.budget import share_of
from procession.agent.containers.users import ContainerUsers
from procession.agent.describe.collector import Scrub
from procession.agent.describe.expressions import ProcessFilter
from procession.agent.read.connector import ConnectorUnavailable, ProcConnector
from procession.agent.read.container_cache import ContainerCache
from procession.agent.read.container_runtimes import ContainerNames, ContainerRuntime
from procession.agent.read.cri.cri_runtime import CriRuntime
from procession.agent.read.exits.facts_reader import ExitFactsReader
from procession.agent.read.exits.kernel_log import KernelLog
from procession.agent.read.exits.oom_kills import OomKills
from procession.agent.read.exits.task_stats import TaskStatsListener, TaskStatsUnavailable
from procession.agent.read.lookups import Lookups
from procession.agent.read.proc_reader import DESCRIPTORS_EACH, MAX_KEPT_PROCESSES, ProcReader
from procession.agent.read.short_lived import MAX_EVENTS, MAX_LOOKS, ShortLived
from procession.agent.read.users import NamesFile, passwd_file_of, system_group_name, system_user_name
from procession.agent.send.api_key import ApiKey
from procession.agent.send.client import IntakeClient, client_context
from procession.agent.send.destination import Destination, folder_of
from procession.agent.send.sender import Report
from procession.agent.send.spool import NewerSpool, Spool
from procession.agent.tag_text import tag_of
from procession.config import AgentSettings
from procession.errors import UsageError
from procession.scrubbing import Scrubber, sensitive_words
from procession.text.tags import normal_tags

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""What glibc calls them."""

_DESCRIPTORS = 1024 + MAX_KEPT_PROCESSES * DESCRIPTORS_EACH


NAMES_FILE_SECONDS = 60.0
"""Until it is looked whether a passwd or group file has changed."""

_EVENT_SECONDS = 60e-6
"""About what an event takes of CPU, with its share of looks at processes."""


def listen_for_short_lived(reader: ProcReader, report: Report, *, cpu_seconds: float | None) -> ShortLived | None:
    """None without the right to it: then this is like any agent that only takes snapshots.

    `cpu_seconds` is what may be spent from one snapshot to the next; up to half of it goes to events, so that a storm
    of forks leaves enough for snapshots. None: no limit.
    """
    if not reader.is_live:
        return None
    try:
        connector = ProcConnector()
    except ConnectorUnavailable as error:
        if os.geteuid() == 0:
            report(f"processes that live between two snapshots are not seen: {error}")
        return None
    most = MAX_EVENTS if cpu_seconds is None else min(MAX_EVENTS, max(1, int(cpu_seconds / 2 / _EVENT_SECONDS)))
    short_lived = ShortLived(
        connector,
        reader,
        max_events=most,
        max_looks=most * MAX_LOOKS // MAX_EVENTS,
        facts=ExitFactsReader(_oom_kills(), _task_stats()),
    )
    short_lived.start()
    return short_lived


def _oom_kills() -> OomKills | None:
    """None without the right to the kernel's messages: nobody can tell then."""
    try:
        return OomKills(KernelLog())
    except OSError:
        return None


def _task_stats() -> TaskStatsListener | None:
    """None without the right to it: then of what processes have used only the last snapshot tells."""
    try:
        return TaskStatsListener()
    except TaskStatsUnavailable:
        return None


def host_of(settings: AgentSettings) -> str:
    host = (settings.hostname or socket.gethostname()).strip()
    if not host or len(host) > 255 or not host.isprintable():
        raise UsageError(f"{host!r} is no name of a host; --hostname gives one")
    return host


def servers_of(settings: AgentSettings) -> list[tuple[IntakeClient, ApiKey]]:
    """Each server with its key. Raises UsageError for what can be none."""
    if not settings.url:
        raise UsageError("there is no server to send to; --url names one")
    context = client_context(settings.tls_ca, settings.tls_client_cert, settings.tls_client_key)
    clients = [IntakeClient(url, context) for url in settings.url]
    urls = [url.rstrip("/") for url in settings.url]
    twice = [url for url in urls if urls.count(url) > 1]
    if twice:
        raise UsageError(f"{twice[0]} is named twice; a server gets everything once")
    if settings.api_key:
        keys = [ApiKey(text) for text in settings.api_key]
    else:
        keys = [ApiKey(file=file) for file in settings.api_key_file] or [ApiKey()]
    if len(keys) == 1:
        keys *= len(clients)
    if len(keys) != len(clients):
        raise UsageError(
            f"there are {len(clients)} servers and {len(keys)} API keys; give one key for all, or one for each server"
        )
    return list(zip(clients, keys, strict=True))


def destinations_of(settings: AgentSettings, *, stop: threading.Event, report: Report) -> list[Destination]:
    """The servers, each with what it needs to be sent to. Raises UsageError."""
    servers = servers_of(settings)
    return [
        Destination(
            client, api_key, spool_of(settings, client.url, report), max_bytes=settings.queue_bytes, report=report,
            stop=stop,
        )
        for client, api_key in servers
    ]  # fmt: skip


def spool_of(settings: AgentSettings, url: str, report: Report) -> Spool | None:
    """Where what could not be sent to a server is kept. None: in memory.

    A folder that somebody has named has to work. The one that nobody has asked for is used if that can be.
    """
    if not settings.spool:
        return None
    folder = spool_folder(settings)
    try:
        return Spool(folder / folder_of(url))
    except NewerSpool:
        raise
    except UsageError as error:
        if settings.spool_dir:
            raise
        report(f"{error}; until then they are kept in memory")
        return None


def spool_folder(settings: AgentSettings) -> Path:
    if settings.spool_dir:
        return Path(settings.spool_dir).expanduser()
    import platformdirs

    return Path(platformdirs.user_state_dir("procession")) / "spool"


def boot_file_of(settings: AgentSettings) -> Path | None:
    """Where it is kept what the starts of processes go by. None where nothing is kept on disk."""
    return spool_folder(settings) / "boot.json" if settings.spool else None


def users_of(settings: AgentSettings, report: Report) -> Lookups:
    file = passwd_file_of(settings.proc_root, settings.passwd_file)
    return _names("users", system_user_name, file, report)


def groups_of(settings: AgentSettings, report: Report) -> Lookups:
    """Of the same system as the names of users."""
    file = passwd_file_of(settings.proc_root, settings.passwd_file)
    return _names("groups", system_group_name, None if file is None else file.with_name("group"), report)


def _names(of_what: str, system: Callable[[int], str], file: Path | None, report: Report) -> Lookups:
    def say_slow() -> None:
        where = "the user database of the system" if file is None else str(file)
        report(f"{where} is slow to say the names of {of_what}: their numbers are sent until it does")

    if file is None:
        return Lookups(system, say_slow=say_slow)
    return Lookups(NamesFile(file).name_of, keep_seconds=NAMES_FILE_SECONDS, say_slow=say_slow)


def process_filter_of(settings: AgentSettings) -> ProcessFilter:
    return ProcessFilter(settings.include_patterns, settings.exclude_patterns)


def host_tags_of(settings: AgentSettings) -> tuple[str, ...]:
    """As Datadog's agents have them: those in DD_TAGS may be parted by blanks."""
    own = (("env", settings.host_env), ("service", settings.host_service), ("version", settings.host_version))
    tags = [tag for text in settings.tag for tag in text.split()]
    return normal_tags([*tags, *(tag_of(name, value) for name, value in own)])


def container_runtimes_of(settings: AgentSettings) -> list[ContainerNames]:
    """Raises UsageError for a label that is none."""
    labels = {}
    for text in settings.container_labels:
        label, mark, tag = text.partition("=")
        if not label.strip() or (mark and not tag.strip()):
            raise UsageError(f"container-labels: {text!r} is no label; it looks like com.example.team=team")
        labels[label.strip()] = tag.strip() or label.strip()
    if not settings.container_names:
        return []
    paths = (("docker", settings.docker_socket), ("podman", settings.podman_socket))
    runtimes: list[ContainerNames] = [ContainerRuntime(name, path, labels) for name, path in paths if path]
    if settings.cri_socket:
        runtimes.append(CriRuntime(settings.cri_socket, labels))
    return runtimes


def containers_of(settings: AgentSettings, report: Report) -> ContainerCache:
    return ContainerCache(container_runtimes_of(settings), report)


def container_users_of(settings: AgentSettings) -> ContainerUsers | None:
    return ContainerUsers(settings.proc_root) if settings.container_users else None


def max_cpu_of(settings: AgentSettings) -> float | None:
    """As a share of one core. None: no limit."""
    try:
        return share_of(settings.max_cpu)
    except ValueError:
        raise UsageError(f"--max-cpu {settings.max_cpu!r} is no percentage; it looks like 1%") from None


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


def give_memory_back() -> None:
    """What compressing takes for a moment, above all. Left alone, the C library keeps it for the next time."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, 256 * 1024)
        library.mallopt(_M_TRIM_THRESHOLD, 128 * 1024)
        library.mallopt(_M_ARENA_MAX, 2)


def allow_open_files() -> None:
    """As many as keeping the files of processes open is worth, if we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
