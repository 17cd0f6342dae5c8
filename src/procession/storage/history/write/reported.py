"""What agents report besides snapshots, as columns of the tables: live numbers and exits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import pyarrow as pa

from procession.lifecycle.events import ProcessExits
from procession.packed import pack_numbers
from procession.process import LiveSnapshot, host_key
from procession.storage.history.tables.columns import number_columns


def live_numbers_table(live: Sequence[tuple[int, LiveSnapshot]], *, received_at: int) -> pa.Table:
    snapshots = [snapshot for _, snapshot in live]
    columns = {
        "org": pa.array([org_id for org_id, _ in live], pa.uint32()),
        "at": pa.array([one.taken_at for one in snapshots], pa.uint32()),
        "host": pa.array([host_key(one.host) for one in snapshots], pa.uint64()),
        "request": pa.array([one.request_id for one in snapshots], pa.uint64()),
    }

    processes = [one for snapshot in snapshots for one in snapshot.processes]
    offsets = pa.array([0, *accumulate(len(snapshot.processes) for snapshot in snapshots)], pa.int32())
    arrays = {
        "pid": pa.array([one.pid for one in processes], pa.uint32()),
        "start": pa.array([one.started_at for one in processes], pa.uint32()),
    } | number_columns(pack_numbers(one.numbers) for one in processes)
    columns |= {name: pa.ListArray.from_arrays(offsets, values) for name, values in arrays.items()}
    columns["received_at"] = pa.array([received_at] * len(live), pa.uint32())
    return pa.table(columns)


def exits_table(exits: Sequence[tuple[int, ProcessExits]]) -> pa.Table:
    rows = [(org_id, host_key(of_host.host), one) for org_id, of_host in exits for one in of_host.exits]
    return pa.table(
        {
            "org": pa.array([org_id for org_id, _, _ in rows], pa.uint32()),
            "host": pa.array([host for _, host, _ in rows], pa.uint64()),
            "pid": pa.array([one.pid for _, _, one in rows], pa.uint32()),
            "at": pa.array([one.at for _, _, one in rows], pa.uint32()),
            "executed_at": pa.array([one.executed_at or 0 for _, _, one in rows], pa.uint32()),
            "exit_code": pa.array([one.exit_code for _, _, one in rows], pa.int32()),
        }
    )
