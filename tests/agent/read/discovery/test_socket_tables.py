from __future__ import annotations

from pathlib import Path

from procession.agent.read.discovery.socket_tables import MOST_BYTES, Listener, ephemeral_ports, read_listeners

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
EPHEMERAL = range(32_768, 61_000)


def line(port: int, inode: int, state: str, address: str = "0100007F") -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  33  0 {inode} 1\n"


def write(folder: Path, **tables: str) -> str:
    for name, lines in tables.items():
        (folder / name).write_text(HEAD + lines)
    return str(folder)


def test_sockets_that_listen_are_read_of_both_protocols_and_of_both_kinds_of_addresses(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        tcp=line(80, 11, "0A"),
        tcp6=line(443, 12, "0A", "0" * 32),
        udp=line(53, 13, "07"),
        udp6=line(5353, 14, "07", "0" * 32),
    )

    assert read_listeners(folder, EPHEMERAL) == {
        11: Listener("tcp", 80),
        12: Listener("tcp", 443),
        13: Listener("udp", 53),
        14: Listener("udp", 5353),
    }


def test_what_is_connected_is_a_client_or_the_kernels_does_not_listen(tmp_path: Path) -> None:
    connected, client, of_kernel = line(53, 2, "01"), line(40_000, 3, "07"), line(80, 0, "0A")
    folder = write(tmp_path, tcp=of_kernel + line(22, 1, "0A") + line(22, 5, "01"), udp=connected + client)

    assert read_listeners(folder, EPHEMERAL) == {1: Listener("tcp", 22)}


def test_a_kernel_without_the_other_tables_has_the_first_alone(tmp_path: Path) -> None:
    assert read_listeners(write(tmp_path, tcp=line(80, 11, "0A")), EPHEMERAL) == {11: Listener("tcp", 80)}


def test_where_nothing_can_be_read_nothing_is_known(tmp_path: Path) -> None:
    assert read_listeners(str(tmp_path / "none"), EPHEMERAL) is None


def test_of_more_sockets_than_can_be_looked_through_nothing_is_known(tmp_path: Path) -> None:
    many = line(40_000, 3, "07") * (MOST_BYTES // 50)
    listening = line(80, 3, "0A") * (MOST_BYTES // 50)
    connected = line(80, 3, "01") * (MOST_BYTES // 50)

    assert read_listeners(write(tmp_path, tcp="", udp=many), EPHEMERAL) is None
    assert read_listeners(write(tmp_path, tcp=listening, udp=""), EPHEMERAL) is None
    assert read_listeners(write(tmp_path, tcp="", tcp6=listening, udp=""), EPHEMERAL) is None
    assert read_listeners(write(tmp_path, tcp=line(22, 1, "0A") + connected, tcp6=""), EPHEMERAL) is not None


def test_the_ports_of_clients_are_those_that_the_kernel_says(tmp_path: Path) -> None:
    path = tmp_path / "sys/net/ipv4/ip_local_port_range"
    path.parent.mkdir(parents=True)
    path.write_text("10000\t20000\n")

    assert ephemeral_ports(str(tmp_path)) == range(10_000, 20_001)
    assert 40_000 in ephemeral_ports(str(tmp_path / "none"))
