from __future__ import annotations

import resource

import pytest

from procession.cli.serving.open_files import most_connections


def test_as_many_connections_as_files_allow_and_no_more_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [1024, 20_000]

    def change(_: int, to: tuple[int, int]) -> None:
        limits[:] = to

    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", change)

    assert most_connections(10_000) == 10_000
    assert limits == [11_024, 20_000]
    assert most_connections(30_000) == 18_976
    assert limits == [20_000, 20_000]
    limits[:] = 1024, 1024
    assert most_connections(10_000) == 512
    limits[:] = 1024, resource.RLIM_INFINITY
    assert most_connections(10_000) == 10_000
    assert limits == [11_024, resource.RLIM_INFINITY]
