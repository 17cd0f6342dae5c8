from __future__ import annotations

import os
import signal

import pytest

from procession.cli.local.signals import ended_by_signals


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_tidies_up_before_a_signal_ends_it(sent: signal.Signals) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    tidied: list[str] = []

    def work() -> None:
        try:
            os.kill(os.getpid(), sent)
        finally:
            # Whoever is in a hurry does not keep it from that.
            os.kill(os.getpid(), signal.SIGTERM)
            tidied.append("up")

    with pytest.raises(SystemExit) as caught, ended_by_signals():
        work()

    assert (caught.value.code, tidied) == (128 + sent, ["up"])
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
