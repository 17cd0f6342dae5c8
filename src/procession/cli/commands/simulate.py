"""`procession simulate`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from procession.accounts.orgs import KeyKind
from procession.cli.access import in_file
from procession.cli.local.data_folder import LocalFiles
from procession.cli.options import read_settings, settings_options
from procession.cli.serving.server_extra import require_server
from procession.cli.terminal.moments import Moment, show_moment
from procession.config import ClientSettings
from procession.errors import UsageError

if TYPE_CHECKING:
    from procession.simulate import FleetShape, LoadPlan, Progress

EXAMPLES = """\b
Examples:
  procession simulate --hosts 20                        # to the server of this machine, until Ctrl-C
  procession simulate --hosts 500 --hours 2 --speed 10 --url http://10.0.0.5:7171 --api-key-file key
  procession simulate --hosts 100 --hours 24 --data-dir /tmp/demo && procession serve --data-dir /tmp/demo
"""


class Speed(click.ParamType[float | None]):
    """How many times faster than life; None: as fast as it goes."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value is None or value == "max":
            return None
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if 0 < speed < float("inf"):
            return speed
        return self.fail(f"{value!r} is neither a number above 0 nor max", param, ctx)


@click.command(epilog=EXAMPLES)
@click.option("--hosts", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Hosts of the fleet.")
@click.option(
    "--processes", type=click.IntRange(1, 100_000), default=300, show_default=True, help="Processes on each of them."
)
@click.option(
    "--churn",
    type=click.FloatRange(0, 1000),
    default=0.5,
    show_default=True,
    help="Processes that come and go in an hour, for each that runs.",
)
@click.option(
    "--deploy-hours",
    type=click.FloatRange(0),
    default=12.0,
    show_default=True,
    help="Time from one version of a service to the next; 0: never.",
)
@click.option(
    "--interval-seconds",
    type=click.IntRange(1, 3600),
    default=10,
    show_default=True,
    help="Time between two snapshots.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another number is another fleet.")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="How long the fleet lives.")
@click.option("--from", "from_at", type=Moment(), help="When it begins [--hours ago, or now].")
@click.option(
    "--speed", type=Speed(), default="1", show_default=True, help="How many times faster than life it posts, or max."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that play the agents."
)
@click.option(
    "--connections",
    type=click.IntRange(1, 10_000),
    default=500,
    show_default=True,
    help="Most connections of all of them together.",
)
@click.option(
    "--processes-per-payload",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="As Datadog's Agent has it; ours sends up to 1000.",
)
@click.option(
    "--data-dir", metavar="DIR", help="Write the past straight into the store in this folder, with no server running."
)
@settings_options(ClientSettings, only=("url", "api_key", "api_key_file"))
def simulate(
    hosts: int,
    processes: int,
    churn: float,
    deploy_hours: float,
    interval_seconds: int,
    seed: int,
    hours: float | None,
    from_at: int | None,
    speed: float | None,
    workers: int,
    connections: int,
    processes_per_payload: int,
    data_dir: str | None,
    **settings: Any,
) -> None:
    """Play a fleet of hosts that does not exist, for demos, tests and measurements.

    It posts what real agents would, to a server, at the speed of life or faster; or, with --data-dir, writes its past
    straight into a store. The same seed and beginning give the same bytes.
    """
    require_server()
    from procession.simulate import FleetShape, LoadPlan

    now = int(time.time())
    if hours is None and (data_dir or speed != 1):
        hours = 1.0
    seconds = None if hours is None else round(hours * 3600)
    if from_at is None:
        from_at = now - seconds if seconds is not None and (data_dir or speed != 1) else now
    until = None if seconds is None else from_at + seconds
    shape = FleetShape(
        hosts=hosts,
        processes=processes,
        begin_at=from_at,
        seed=seed,
        churn=churn,
        deploy_hours=deploy_hours,
        interval_seconds=interval_seconds,
        with_host_tags=bool(data_dir),
    )
    client = read_settings(ClientSettings, settings)
    if data_dir:
        if until is None or until > now:
            raise UsageError("what is written into a store lies in the past; give --from and --hours that end by now")
        _write(shape, until, LocalFiles.of(data_dir))
    else:
        url, api_key = _target(client)
        plan = LoadPlan(
            shape=shape,
            until=until,
            speed=speed,
            url=url,
            api_key=api_key,
            connections=max(1, connections // workers),
            processes_per_payload=processes_per_payload,
        )
        _post(plan, workers)


def _target(client: ClientSettings) -> tuple[str, str]:
    """URL and key: those given, or the local server's."""
    local = LocalFiles.of("")
    url = client.url or local.address()
    if url is None:
        raise UsageError("there is no server on this machine; start one with `procession up`, or name one with --url")
    api_key = client.api_key or in_file(client.api_key_file) or local.secret(KeyKind.API)
    if not api_key:
        raise UsageError("no API key: give --api-key, --api-key-file or DD_API_KEY")
    return url, api_key


def _post(plan: LoadPlan, workers: int) -> None:
    from procession.simulate import post_fleet

    begin = time.monotonic()
    with _shown(plan.shape, plan.until) as show:

        def report(progress: Progress) -> None:
            more = f", {progress.retries:,} tried again" if progress.retries else ""
            show(progress.simulated_at, progress.sightings, more)

        sent = post_fleet(plan, workers=workers, report=report)
    seconds = time.monotonic() - begin
    click.echo(
        f"Posted {sent.sightings:,} sightings in {sent.payloads:,} payloads, {sent.bytes / 2**20:,.1f} MiB,"
        f" in {seconds:,.1f} s; {sent.retries:,} payloads were tried again, {sent.refused:,} refused."
    )
    if sent.refused:
        raise UsageError(f"{plan.url} refused {sent.refused:,} payloads")


def _write(shape: FleetShape, until: int, local: LocalFiles) -> None:
    from procession.cli.serving.server_extra import require_engine

    require_engine()
    from procession.cli.local.fleet_past import write_past

    begin = time.monotonic()
    with _shown(shape, until) as show:
        written = write_past(local, shape, until, report=lambda count, at: show(at, count, ""))
    seconds = time.monotonic() - begin
    click.echo(
        f"Wrote {written:,} sightings in {seconds:,.1f} s, {written / seconds:,.0f}/s, from"
        f" {show_moment(shape.begin_at)} to {show_moment(until)}.\n"
        f"See them with: procession serve --data-dir {local.data_dir}"
    )


@contextlib.contextmanager
def _shown(shape: FleetShape, until: int | None) -> Iterator[Callable[[int, int, str], None]]:
    """Gives what shows how far the fleet is: its moment, the sightings so far, and what else is to be said."""
    click.echo(
        f"{shape.hosts:,} hosts with {shape.processes:,} processes from {show_moment(shape.begin_at)}"
        f" to {show_moment(until) if until is not None else 'when you press Ctrl-C'}"
    )
    if not sys.stdout.isatty():
        yield lambda *_: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    begin = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("", total=None if until is None else until - shape.begin_at, said="")

        def show(at: int, sightings: int, more: str) -> None:
            rate = sightings / max(time.monotonic() - begin, 0.001)
            bar.update(
                task,
                completed=max(0, at - shape.begin_at),
                description=show_moment(max(at, shape.begin_at)),
                said=f"{sightings:,} sightings, {rate:,.0f}/s{more}",
            )

        yield show
