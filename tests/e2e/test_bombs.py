"""Payloads that are small to post and large to read: refused, by a server that does not grow with them."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from procession.wire.datadog import MessageType, frame
from tests.support.agents.vectors import REFUSED, vector
from tests.support.running import clean_environment, running
from tests.support.torture import record

MIB = 2**20
MOST_MIB = 64 + 192
"""One payload is decompressed at a time, into 64 MiB at most; what else a server and its store do meanwhile varies.
Eight at a time would be 512 MiB, and what they hold is gigabytes."""


def peak_mib(pid: int) -> int:
    """The most memory that a process ever held."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kib) // 1024


def bombs() -> list[bytes]:
    # 4 GiB of zeros in run-length blocks, and millions of processes in 8 MB of protobuf, in 400 bytes of zstd.
    block = (128 * 1024 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    zeros = b"\x28\xb5\x2f\xfd\x00\x38" + block * 32_767 + bytes((block[0] | 1, *block[1:]))
    header = vector("proc_min_enc4")[:16]
    empty = frame.encode(MessageType.PROCESSES, b"\x12\x01h" + b"\x1a\x00" * 4_000_000)
    nested = frame.encode(MessageType.PROCESSES, b"\x12\x01h" + b"\x1a\x02\x22\x00" * 2_000_000)
    return [header + zeros, empty, nested, *(one.data for one in REFUSED)]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_server_that_refuses_bombs_does_not_grow(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"))
    with running("serve", *options, environment=clean_environment(DD_API_KEY="a" * 32)) as server:
        url = next(word for word in server.line_with("http://").split() if word.startswith("http://"))

        def post(body: bytes) -> int:
            headers = {"dd-api-key": "a" * 32, "x-dd-hostname": "bomber"}
            return httpx.post(f"{url}/api/v1/collector", content=body, headers=headers, timeout=120).status_code

        assert post(vector("proc_v3_enc4_zstd1x")) == 200
        before = peak_mib(server.pid)

        with ThreadPoolExecutor(8) as posters:
            statuses = list(posters.map(post, bombs() * 3))
        grown = peak_mib(server.pid) - before

        assert set(statuses) <= {400, 413}
        answered = f"{' or '.join(map(str, sorted(set(statuses))))}, and {grown} MiB more"
        record("payloads that decompress to gigabytes", times=len(statuses), lost=0, answered=answered)
        assert grown < MOST_MIB, f"{grown} MiB"
        assert post(vector("proc_v3_enc4_zstd1x")) == 200
