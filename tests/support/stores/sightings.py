"""Any sighting that an agent may send, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from procession.command_line.arguments import line_of, words_of
from procession.discovery import FOUND_BY, INJECTIONS, LANGUAGES, Discovery, Service, Tracer
from procession.process import MAX_UINT32, ProcessDescription, ProcessNumbers, Sighting

FLOATS = st.floats(0, width=32, allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
TAGS = st.sets(TEXTS.map(lambda text: text.strip().lower()).filter(bool), max_size=3)


@st.composite
def all_numbers(draw: st.DrawFn) -> ProcessNumbers:
    """Some are known only together: they travel in one message, or as a pair of which one is never zero."""
    fields: dict[str, Any] = {}
    for name in (
        "read_bytes_per_second",
        "write_bytes_per_second",
        "read_operations_per_second",
        "write_operations_per_second",
        "cpu_total_percent",
        "cpu_user_percent",
        "cpu_system_percent",
        "net_received_bytes_per_second",
        "net_sent_bytes_per_second",
        "net_bytes_per_second",
        "net_connections_per_second",
    ):
        fields[name] = draw(st.none() | FLOATS)
    fields["threads"] = draw(st.none() | st.integers(1, 2**31 - 1))
    fields["open_files"] = draw(st.none() | st.integers(0, 2**31 - 1))
    fields["connections"] = draw(st.none() | st.integers(0, 2**31 - 1))
    if draw(st.booleans()):
        fields["rss_bytes"], fields["vms_bytes"] = draw(COUNTS), draw(COUNTS)
        if draw(st.booleans()):
            fields["shared_bytes"], fields["swap_bytes"] = draw(COUNTS.filter(bool)), draw(COUNTS)
    if draw(st.booleans()):
        fields["voluntary_switches"], fields["involuntary_switches"] = draw(COUNTS.filter(bool)), draw(COUNTS)
    fields["state"] = draw(st.sampled_from(("", *"DRSTWXItKPx")))
    return ProcessNumbers(**fields)


DISCOVERIES = (
    None,
    *(Discovery(language=language) for language in LANGUAGES if language),
    *(Discovery(injection=injection) for injection in INJECTIONS if injection),
    Discovery(tcp_ports=(), udp_ports=()),
    Discovery(tcp_ports=(1, 443, 65_535), udp_ports=(53,), language="go"),
    Discovery(services=(), tracers=(), is_instrumented=False),
    Discovery(services=tuple(Service("Ü", one) for one in FOUND_BY[1:]), tracers=(), is_instrumented=True),
    Discovery(services=(Service("web 1"),), tracers=(Tracer("c0ffee", "日本"), Tracer("x")), is_instrumented=False),
)
"""Both kinds of ports are known together, and so is all of services."""


@st.composite
def all_sightings(draw: st.DrawFn) -> Sighting:
    numbers = draw(all_numbers())
    is_zombie = draw(st.booleans())
    if is_zombie:
        numbers = ProcessNumbers(
            **{name: getattr(numbers, name) for name in numbers.__struct_fields__} | {"state": "Z"}
        )
    uid = draw(st.none() | st.integers(0, 2**32 - 2))
    gid = draw(st.none() | st.integers(0, 2**32 - 2))
    arguments = draw(st.lists(TEXTS, max_size=4))
    line = line_of(arguments)
    description = ProcessDescription(
        cmdline=line,
        argument_words=words_of(arguments) if line and draw(st.booleans()) else (),
        exe=draw(TEXTS),
        cwd=draw(TEXTS),
        root=draw(TEXTS),
        comm=draw(TEXTS),
        user=draw(TEXTS) or ("" if uid is None else f"uid:{uid}"),
        uid=uid,
        gid=gid,
        group_name="" if uid is None and gid is None else draw(TEXTS),
        ppid=draw(st.integers(0, 2**31 - 1)),
        namespace_pid=draw(st.none() | st.integers(1, 2**31 - 1)),
        nice=draw(st.none() | st.integers(-20, 19)),
        container_id=draw(TEXTS),
        is_zombie=is_zombie,
        tags=tuple(sorted(draw(TAGS))),
        discovery=draw(st.sampled_from(DISCOVERIES)),
    )
    return Sighting(draw(st.integers(0, 2**31 - 1)), draw(st.integers(0, MAX_UINT32)), description, numbers)
