"""/proc -> snapshots -> intake."""

from __future__ import annotations

from procession.agent.check import check_agent
from procession.agent.loop import run_agent

__all__ = ["check_agent", "run_agent"]
