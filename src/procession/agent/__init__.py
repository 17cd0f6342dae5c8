"""/proc -> snapshots -> intake."""

from __future__ import annotations

from procession.agent.loop import run_agent

__all__ = ["run_agent"]
