"""What an agent of this machine needs, with the settings that it would have."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from procession.agent.build import allow_open_files, servers_of, spool_folder
from procession.agent.read.connector import ConnectorUnavailable, ProcConnector
from procession.agent.read.proc_reader import ProcReader
from procession.cli.client import Refused, Server
from procession.cli.doctor import machine
from procession.cli.doctor.finding import Finding, bad, good, warning
from procession.config import AgentSettings
from procession.errors import UsageError

VALIDATE_PATH = "/api/v1/validate"
_CAPABILITIES = {19: "CAP_SYS_PTRACE", 2: "CAP_DAC_READ_SEARCH"}


def agent_findings(settings: AgentSettings) -> Iterator[Finding]:
    yield machine.versions()
    yield machine.clock()
    proc = Path(settings.proc_root)
    yield processes(proc)
    yield hidepid(proc, _text(Path("/proc/self/mounts")), _text(Path("/proc/self/status")))
    yield capabilities(_text(Path("/proc/self/status")))
    yield netlink(settings)
    if settings.spool:
        folder = spool_folder(settings)
        yield from machine.folder_rights("spool", folder, "the agent makes it; else what waits is in memory")
        yield machine.disk(folder, "make room, or name a folder elsewhere with --spool-dir")
    yield from (machine.private_file("key", Path(name).expanduser()) for name in settings.api_key_file if name)
    yield from servers(settings)


def processes(proc: Path) -> Finding:
    if not (proc / "stat").is_file():
        return bad("processes", f"there is no {proc}/stat", "name the host's /proc with --proc-root")
    allow_open_files()
    with contextlib.closing(ProcReader(str(proc), kernel_threads=True)) as reader:
        found = len(reader.read())
        blindness, unreadable = reader.blindness, reader.unreadable
    if blindness:
        return bad("processes", blindness, "give the agent CAP_SYS_PTRACE, as `procession agent install` does")
    if unreadable:
        advice = "give the agent CAP_SYS_PTRACE, as `procession agent install` does"
        return warning("processes", f"{unreadable} of {found + unreadable} cannot be read", advice)
    return good("processes", f"{found} in {proc}")


def hidepid(proc: Path, mounts: str, status: str) -> Finding:
    """Where /proc is mounted so that one sees only one's own processes."""
    options = ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 3 and fields[1] == str(proc) and fields[2] == "proc":
            options = fields[3]
    value = next((one.partition("=")[2] for one in options.split(",") if one.startswith("hidepid=")), "0")
    if value in ("0", "off"):
        return good("hidepid", "every process is shown to everybody")
    if "CAP_SYS_PTRACE" in held_capabilities(status):
        return good("hidepid", f"{proc} is mounted with hidepid={value}, which does not hold for CAP_SYS_PTRACE")
    return bad(
        "hidepid",
        f"{proc} is mounted with hidepid={value}: this user sees only its own processes",
        "give the agent CAP_SYS_PTRACE, or the group that the mount's gid= names",
    )


def held_capabilities(status: str) -> set[str]:
    """By `/proc/self/status`."""
    line = next((line for line in status.splitlines() if line.startswith("CapEff:")), "CapEff: 0")
    held = int(line.split()[1], 16)
    return {name for bit, name in _CAPABILITIES.items() if held >> bit & 1}


def capabilities(status: str) -> Finding:
    missing = sorted(set(_CAPABILITIES.values()) - held_capabilities(status))
    if missing:
        return warning(
            "rights",
            f"without {' and '.join(missing)}, paths, files and I/O of other users' processes stay unknown",
            "run it as `procession agent install` or the package does",
        )
    return good("rights", "it may read what processes of other users are and use")


def netlink(settings: AgentSettings) -> Finding:
    if not settings.short_lived:
        return good("netlink", "not asked for: short-lived is off")
    try:
        ProcConnector().close()
    except ConnectorUnavailable as error:
        advice = "it takes CAP_NET_ADMIN or Linux 6.6, in the network namespace of the host"
        return warning("netlink", f"{error}: processes that come and go between two snapshots are not seen", advice)
    return good("netlink", "the kernel reports how processes begin and end")


def servers(settings: AgentSettings) -> Iterator[Finding]:
    try:
        found = servers_of(settings)
    except UsageError as error:
        yield bad("server", str(error), "see `procession agent --help`")
        return
    for client, key in found:
        server = Server(client.url, settings.tls_ca)
        finding = machine.reached("server", server)
        yield finding
        if finding.level is not finding.level.BAD:
            yield machine.clock_against("server clock", server, time.time())
            yield key_of(server, key.text)


def key_of(server: Server, text: str) -> Finding:
    try:
        server.send("GET", VALIDATE_PATH, headers={"dd-api-key": text})
    except Refused as error:
        advice = "`procession keys create api` on the server makes another"
        return bad("server key", f"{server.url} refuses it: {error}", advice)
    except UsageError as error:
        return bad("server key", str(error), "see that it is an API key of that server")
    return good("server key", f"{server.url} takes it")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="backslashreplace")
    except OSError:
        return ""
