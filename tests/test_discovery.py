from __future__ import annotations

from procession.discovery import (
    DISCOVERED_KEYS,
    Discovery,
    Service,
    Tracer,
    characters_of_discovery,
    discovered_tags,
)


def test_what_was_found_out_has_the_form_of_tags_folded_sorted_and_each_once() -> None:
    found = Discovery(
        language="go",
        services=(Service("Shop", "dd_service"), Service("shop", "command_line")),
        tracers=(Tracer("c0ffee", "Cart"),),
        injection="injected",
        tcp_ports=(80, 443),
        udp_ports=(443,),
    )

    tags = discovered_tags(found)

    assert tags == ("injection:injected", "language:go", "listens:443", "listens:80", "service:cart", "service:shop")
    assert {tag.partition(":")[0] for tag in tags} == set(DISCOVERED_KEYS)


def test_what_nobody_told_and_what_is_none_have_no_tags() -> None:
    assert discovered_tags(None) == ()
    assert discovered_tags(Discovery(services=(), tracers=(), tcp_ports=(), udp_ports=())) == ()


def test_none_and_not_known_are_two_things() -> None:
    assert Discovery(tcp_ports=()) != Discovery()


def test_ports_count_for_the_memory_that_they_take() -> None:
    assert characters_of_discovery(None) == 0
    assert characters_of_discovery(Discovery(tcp_ports=tuple(range(1000, 1100)))) > 1000
