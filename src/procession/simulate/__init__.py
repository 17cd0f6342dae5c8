"""A fleet that does not exist, behaving like hosts that were recorded."""

from procession.simulate.fleet import Fleet
from procession.simulate.history import write_history
from procession.simulate.load_plan import LoadPlan, Progress
from procession.simulate.shape import FleetShape
from procession.simulate.worker_processes import post_fleet

__all__ = ["Fleet", "FleetShape", "LoadPlan", "Progress", "post_fleet", "write_history"]
