from __future__ import annotations

import signal
import sys

import pytest

from procession.lifecycle.signals import signal_of


@pytest.mark.parametrize(
    ("exit_code", "name"),
    [(137, "SIGKILL"), (143, "SIGTERM"), (139, "SIGSEGV"), (134, "SIGABRT"), (129, "SIGHUP"), (162, "SIGRTMIN")],
)
def test_an_exit_code_above_128_is_a_signal(exit_code: int, name: str) -> None:
    assert signal_of(exit_code) == name


@pytest.mark.parametrize("exit_code", [0, 1, 127, 128, 160, 161, 193, 255, 256, -9, 2**31 - 1])
def test_any_other_is_none(exit_code: int) -> None:
    assert signal_of(exit_code) is None


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's numbers")
def test_the_numbers_are_those_of_linux() -> None:
    for number in signal.valid_signals():
        name = signal_of(128 + number)
        assert name is not None
        if number < signal.SIGRTMIN and hasattr(signal, name):
            assert getattr(signal, name) == number
