"""The fleet: hosts, each with its role, that live through one common time."""

from __future__ import annotations

import random
from collections.abc import Iterator

from procession.simulate.host import Host, Step
from procession.simulate.profile import Profile, recorded_profile
from procession.simulate.programs import ROLES
from procession.simulate.rollouts import Rollouts
from procession.simulate.shape import FleetShape, Traits

_ENVIRONMENTS = {"prod": 60, "staging": 25, "dev": 15}
_REGIONS = {"eu-west-1": 40, "us-east-1": 35, "ap-southeast-1": 15, "eu-central-1": 10}
_INSTANCE_TYPES = ("m6i.xlarge", "m6i.4xlarge", "c6g.2xlarge", "r6i.2xlarge", "t3.large")


class Fleet:
    """For one thread."""

    def __init__(self, shape: FleetShape, *, part: int = 0, parts: int = 1, profile: Profile | None = None) -> None:
        """With `parts`, every so manieth host from `part` on; each is what it is in the whole fleet."""
        self.shape = shape
        rollouts = Rollouts(shape.seed, shape.deploy_hours)
        hosts = (
            Host(shape, _traits(shape.seed, index), rollouts, profile or recorded_profile())
            for index in range(part, shape.hosts, parts)
        )
        # Agents were started whenever their hosts were: snapshots are spread over the interval.
        self.hosts = sorted(hosts, key=lambda host: (host.next_at, host.traits.index))

    def steps(self, until: int) -> Iterator[Step]:
        """All snapshots before this moment that were not taken yet, in the order of their moments."""
        while any(host.next_at < until for host in self.hosts):
            for host in self.hosts:
                if host.next_at < until:
                    yield host.step()


def _traits(seed: int, index: int) -> Traits:
    lots = random.Random(f"{seed}/{index}")
    role = lots.choices(ROLES, [role.weight for role in ROLES])[0]
    env = _choose(lots, _ENVIRONMENTS)
    region = _choose(lots, _REGIONS)
    zone = region + lots.choice("abc")
    tags = (
        f"availability-zone:{zone}",
        f"cluster:{region}-{env}",
        f"env:{env}",
        f"instance-type:{lots.choice(_INSTANCE_TYPES)}",
        f"region:{region}",
        f"role:{role.name}",
    )
    return Traits(index, f"{role.name}-{env}-{zone}-{index:04}", role, env, region, tags)


def _choose(lots: random.Random, weights: dict[str, int]) -> str:
    return lots.choices(list(weights), list(weights.values()))[0]
