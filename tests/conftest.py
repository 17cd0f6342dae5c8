"""What holds for every test."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator

import pytest

IN_CI = bool(os.environ.get("PROCESSION_CI"))


def pytest_configure(config: pytest.Config) -> None:
    # What runs in the background may have been told to ignore these, and would hand that down to all that it starts.
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    config.addinivalue_line("markers", "may_skip: may be skipped even where everything has to run")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A missing toolchain is a visible skip at a user's, and a failure where PROCESSION_CI says that all must run."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} has to run here: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.get_closest_marker("may_skip") is None:
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
