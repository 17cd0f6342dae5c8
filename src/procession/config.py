"""Every setting, once: its name, type, default and help text.

`cli/options.py` makes the flag `--some-name`, the variable `PROCESSION_SOME_NAME` and the TOML key `some-name` of each
field; `docs/configuration.md` lists them. Settings are read once, at the edge, into one of these values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def setting(default: Any, help_text: str, **extra: Any) -> Any:
    """A field of a settings class.

    `extra` goes to the flag: `metavar`; `envvars`, further variables that set it; `minimum` of a number; `secret`,
    which is never shown; `repeated`, of a list that is given by repeating the flag.
    """
    metadata = {"help": help_text, **extra}
    if isinstance(default, (list, dict)):
        raise TypeError("a setting's default must be immutable")
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """`procession serve` and `procession up`."""

    listen: str = setting(
        "127.0.0.1:7171", "Address and port to listen on; port 0 takes a free one.", metavar="HOST:PORT"
    )
    data_dir: str = setting("", "Folder of the embedded store and the local keys [user's data folder].", metavar="DIR")
    store: str = setting(
        "",
        "Where the store is: a folder, or ClickHouse servers as https://user@host:8443,host:8443/database?cluster=name"
        " [the data folder].",
        metavar="DIR|URL",
    )
    store_password: str = setting(
        "", "Password of the store's servers; better in a file or a variable.", metavar="PASSWORD", secret=True
    )
    store_password_file: str = setting("", "File that holds it.", metavar="FILE")
    store_ca_file: str = setting(
        "", "Certificates that the store's servers are checked against [the system's].", metavar="FILE"
    )
    retention_hours: int = setting(24 * 90, "How long it is kept what ran when, in hours.", metavar="HOURS", minimum=1)
    sighting_retention_hours: int = setting(
        24 * 7, "How long the numbers of every sighting are kept, in hours.", metavar="HOURS", minimum=1
    )
    live_retention_hours: int = setting(
        24, "How long the live numbers of watched hosts are kept, in hours.", metavar="HOURS", minimum=1
    )
    max_connections: int = setting(
        10_000,
        "Connections that may be open at once; where there are more, those that are silent make room.",
        metavar="COUNT",
        minimum=1,
    )
    stop_seconds: int = setting(
        1,
        "How long requests under way may take to finish, once the server is asked to stop.",
        metavar="SECONDS",
        minimum=1,
    )
    rate_limit: int = setting(100, "Queries that an org may make in 60 s; 0 is no limit.", metavar="COUNT", minimum=0)
    own_rate_limit: int = setting(
        1000,
        "Calls of Procession's API, such as its page makes, that an org may make in 60 s; 0 is no limit.",
        metavar="COUNT",
        minimum=0,
    )
    sign_in_limit: int = setting(
        20, "Tries to sign in to the page that one address may make in 60 s; 0 is no limit.", metavar="COUNT", minimum=0
    )
    max_body_bytes: int = setting(10 * 2**20, "Largest payload that the intake takes.", metavar="BYTES", minimum=1)
    max_message_bytes: int = setting(8 * 2**20, "Largest payload after decompression.", metavar="BYTES", minimum=1)
    max_intake_bytes: int = setting(
        512 * 2**20,
        "Most memory for what agents have posted and the store does not hold yet; one org gets half of it.",
        metavar="BYTES",
        minimum=1,
    )
    max_live_bytes: int = setting(
        2 * 2**30,
        "Most memory for the live table, which answers about the last hour. What does not fit, the history answers; it "
        "answers everything where the store is on ClickHouse servers. What is remembered of the history takes half as "
        "much, at most.",
        metavar="BYTES",
        minimum=2**20,
    )
    max_columns_bytes: int = setting(
        512 * 2**20,
        "Most memory for the newest snapshots of hosts whose agents send only changes; other hosts send the whole.",
        metavar="BYTES",
        minimum=0,
    )
    max_message_processes: int = setting(10_000, "Most processes in one payload.", metavar="COUNT", minimum=1)
    max_process_bytes: int = setting(
        4 * 2**20, "Most that a payload may say of one process.", metavar="BYTES", minimum=1
    )
    max_process_tags: int = setting(1000, "Most tags of one process or container.", metavar="COUNT", minimum=0)
    allowed_hosts: tuple[str, ...] = setting(
        (),
        "Further names by which clients may call this server; .example.org is any name below it, * is every name.",
        metavar="NAMES",
    )
    tls_cert: str = setting("", "File with the certificate to show, and those between it and its root.", metavar="FILE")
    tls_key: str = setting("", "File with its private key [the file of the certificate].", metavar="FILE")
    tls_client_ca: str = setting(
        "", "File with the certificates that sign those of agents; whoever posts has to show one then.", metavar="FILE"
    )
    behind_proxy: bool = setting(False, "Whether a proxy that speaks TLS stands between this server and the network.")
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "Networks, such as 10.1.0.0/16, of proxies whose X-Forwarded-For says who signs in; no others are believed.",
        metavar="NETWORKS",
    )
    oidc_file: str = setting(
        "", "TOML file with the OpenID Connect providers by which people sign in to the page [none].", metavar="FILE"
    )
    page_url: str = setting(
        "",
        "Address of the page as its readers know it, for links in notifications and for providers of sign-ins [none].",
        metavar="URL",
    )
    mail_server: str = setting(
        "",
        "Mail server for notifications: smtps://user@host for TLS, smtp://user@host for STARTTLS, smtp+plain://host for"
        " neither [none].",
        metavar="URL",
    )
    mail_password: str = setting(
        "", "Password of the mail server; better in a file or a variable.", metavar="PASSWORD", secret=True
    )
    mail_password_file: str = setting("", "File that holds it.", metavar="FILE")
    mail_from: str = setting("", "Address that mails come from.", metavar="ADDRESS")
    mail_ca_file: str = setting(
        "", "Certificates that the mail server is checked against [the system's].", metavar="FILE"
    )
    notification_networks: tuple[str, ...] = setting(
        (),
        "Networks, such as 10.1.0.0/16, that notifications may go to although they are not public; no others are.",
        metavar="NETWORKS",
    )
    notification_rate: int = setting(
        60,
        "Notifications of an org that are sent one by one in 60 s, the rest as a digest; 0 is no limit.",
        metavar="COUNT",
        minimum=0,
    )
    audit: bool = setting(True, "Whether to write an audit trail: who asked and changed what.")
    audit_retention_days: int = setting(
        365, "How long its records are kept, in days; a shorter time holds for new ones.", metavar="DAYS", minimum=1
    )
    audit_syslog: str = setting(
        "", "Where a copy of each record goes: udp://host:514, tcp://host:601 or unix:/dev/log [none].", metavar="URL"
    )
    log_format: str = setting("text", "How a line of the log looks: text or json.", metavar="FORMAT")
    log_level: str = setting(
        "", "What the log has: info, warning and worse, or error [info; of `up` warning].", metavar="LEVEL"
    )
    scrub_again: bool = setting(True, "Whether to hide secrets in command lines that agents have left there.")
    discovered_processes: bool = setting(
        False,
        "Whether to keep what agents send for service discovery alone, with their collection of processes off.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """`procession agent`, and the agent half of `procession up`."""

    url: tuple[str, ...] = setting(
        ("http://127.0.0.1:7171",),
        "Server to send to. Several, by repeating it, each get everything.",
        metavar="URL",
        repeated=True,
    )
    api_key: tuple[str, ...] = setting(
        (),
        "API key; better in a file or a variable. One for all servers, or one for each in their order.",
        metavar="KEY",
        envvars=("DD_API_KEY",),
        secret=True,
        repeated=True,
    )
    api_key_file: tuple[str, ...] = setting((), "File that holds the API key, likewise.", metavar="FILE", repeated=True)
    tls_ca: str = setting(
        "", "File with the certificates that a server's may come from [those that the system trusts].", metavar="FILE"
    )
    tls_client_cert: str = setting("", "File with the certificate to show to servers that ask for one.", metavar="FILE")
    tls_client_key: str = setting("", "File with its private key [the file of the certificate].", metavar="FILE")
    interval_seconds: float = setting(10.0, "Time between two snapshots.", metavar="SECONDS", minimum=0.1)
    proc_root: str = setting("/proc", "Where the host's /proc is mounted.", metavar="DIR")
    passwd_file: str = setting(
        "", "File with the names of users [the system's; with another /proc, that of its machine].", metavar="FILE"
    )
    hostname: str = setting("", "Name to report [the host's own].", metavar="NAME", envvars=("DD_HOSTNAME",))
    max_cpu: str = setting(
        "5%", "Most CPU time to use, of one core; beyond it, snapshots are taken less often.", metavar="PERCENT"
    )
    queue_bytes: int = setting(
        64 * 2**20, "Most that is kept of what could not be sent, for each server.", metavar="BYTES", minimum=0
    )
    spool: bool = setting(True, "Whether it is kept on disk, so that it outlives the agent.")
    spool_dir: str = setting(
        "", "Folder where it is kept [user's state folder].", metavar="DIR", envvars=("STATE_DIRECTORY",)
    )
    processes_per_payload: int = setting(1000, "Most processes that go in one payload.", metavar="COUNT", minimum=1)
    short_lived: bool = setting(
        True, "Whether to see processes that live between two snapshots; takes root or Linux 6.6."
    )
    kernel_threads: bool = setting(False, "Whether to send the kernel's own threads too.")
    include_patterns: tuple[str, ...] = setting(
        (),
        "Send only processes whose command line has a match of this regular expression, or of another one.",
        metavar="REGEX",
        repeated=True,
    )
    exclude_patterns: tuple[str, ...] = setting(
        (),
        "Send no process whose command line has a match of this regular expression.",
        metavar="REGEX",
        repeated=True,
        envvars=(
            "DD_PROCESS_CONFIG_BLACKLIST_PATTERNS",
            "DD_PROCESS_AGENT_BLACKLIST_PATTERNS",
            "DD_BLACKLIST_PATTERNS",
        ),
    )
    tag: tuple[str, ...] = setting(
        (), "Tag of this host, such as env:prod.", metavar="TAG", repeated=True, envvars=("DD_TAGS",)
    )
    host_env: str = setting("", "Tag env: of this host.", metavar="NAME", envvars=("DD_ENV",))
    host_service: str = setting("", "Tag service: of this host.", metavar="NAME", envvars=("DD_SERVICE",))
    host_version: str = setting("", "Tag version: of this host.", metavar="NAME", envvars=("DD_VERSION",))
    tag_rules: tuple[str, ...] = setting(
        (),
        "Regular expression for command lines, whose named groups become tags of the process.",
        metavar="REGEX",
        repeated=True,
    )
    process_env_tags: bool = setting(
        False, "Whether to make tags of DD_ENV, DD_SERVICE and DD_VERSION in the environment of each process."
    )
    container_names: bool = setting(True, "Whether to ask container runtimes for names, images and labels.")
    container_users: bool = setting(
        True, "Whether to read names of users in the passwd files of containers, as tags container_user."
    )
    traffic: bool = setting(
        True, "Whether to read what processes send and receive over TCP, and how many connections they have."
    )
    docker_socket: str = setting("/var/run/docker.sock", "Where Docker answers.", metavar="FILE")
    podman_socket: str = setting("/run/podman/podman.sock", "Where Podman answers.", metavar="FILE")
    cri_socket: str = setting(
        "", "Where containerd or CRI-O answers, which are asked only where this is set.", metavar="FILE"
    )
    container_labels: tuple[str, ...] = setting(
        (), "Labels of containers that become tags, as in com.example.team=team.", metavar="LABEL=TAG", repeated=True
    )
    scrub_args: bool = setting(
        True,
        "Whether to hide secrets in command lines.",
        envvars=("DD_SCRUB_ARGS", "DD_PROCESS_CONFIG_SCRUB_ARGS", "DD_PROCESS_AGENT_SCRUB_ARGS"),
    )
    custom_sensitive_words: tuple[str, ...] = setting(
        (),
        "Further names of secrets, with * as wildcard.",
        metavar="WORDS",
        envvars=(
            "DD_CUSTOM_SENSITIVE_WORDS",
            "DD_PROCESS_CONFIG_CUSTOM_SENSITIVE_WORDS",
            "DD_PROCESS_AGENT_CUSTOM_SENSITIVE_WORDS",
        ),
    )
    strip_proc_arguments: bool = setting(
        False,
        "Whether to send programs without their arguments.",
        envvars=(
            "DD_STRIP_PROCESS_ARGS",
            "DD_PROCESS_CONFIG_STRIP_PROC_ARGUMENTS",
            "DD_PROCESS_AGENT_STRIP_PROC_ARGUMENTS",
        ),
    )
    scrub_urls: bool = setting(True, "Whether to hide passwords in URLs.")
    scrub_clients: bool = setting(True, "Whether to hide passwords in options such as `mysql -p…`.")
    scrub_more_forms: bool = setting(True, "Whether to hide secrets in JSON, headers and the like.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """`procession ps`, `status`, `keys` and `orgs`: what asks a server."""

    url: str = setting("", "Server to ask [the one of this machine].", metavar="URL")
    api_key: str = setting("", "API key [the local one].", metavar="KEY", envvars=("DD_API_KEY",), secret=True)
    application_key: str = setting(
        "", "Application key [the local one].", metavar="KEY", envvars=("DD_APP_KEY",), secret=True
    )
    api_key_file: str = setting("", "File that holds the API key.", metavar="FILE")
    application_key_file: str = setting("", "File that holds the application key.", metavar="FILE")
    tls_ca: str = setting(
        "", "File with the certificates that a server's may come from [those that the system trusts].", metavar="FILE"
    )
    data_dir: str = setting("", "Folder where the server keeps the local keys [user's data folder].", metavar="DIR")
