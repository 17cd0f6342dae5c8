from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import procession.wire.datadog
from procession.wire.datadog import process_pb2 as pb

FOLDER = Path(procession.wire.datadog.__file__).parent

READINGS = {
    "ReadCollectorProc": "CollectorProc",
    "ReadProcess": "Process",
    "ReadCollectorRealTime": "CollectorRealTime",
    "ReadProcessStat": "ProcessStat",
    "ReadMemory": "MemoryStat",
    "ReadCPU": "CPUStat",
    "ReadSystemInfo": "SystemInfo",
    "ReadOSInfo": "OSInfo",
    "ReadContainer": "Container",
    "ReadContainersOfProc": "CollectorProc",
    "ReadCPUInfo": "CPUInfo",
}


@pytest.mark.parametrize("name", ["process_pb2.py", "process_pb2.pyi"])
def test_the_generated_code_is_that_of_the_schema(name: str, tmp_path: Path) -> None:
    plugin = Path(sys.executable).with_name("protoc-gen-mypy")
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc", f"-I{FOLDER.parents[2]}"),
            *(f"--python_out={tmp_path}", f"--mypy_out={tmp_path}", f"--plugin=protoc-gen-mypy={plugin}"),
            FOLDER / "process.proto",
        ],
        check=True,
        capture_output=True,
    )

    assert (FOLDER / name).read_text() == (tmp_path / "procession/wire/datadog" / name).read_text()


@pytest.mark.parametrize("name", READINGS)
def test_a_faster_reading_has_the_fields_of_the_message_it_reads(name: str) -> None:
    reading = pb.DESCRIPTOR.message_types_by_name[name]
    message = pb.DESCRIPTOR.message_types_by_name[READINGS[name]]

    for field in reading.fields:
        same = message.fields_by_name[field.name]
        assert (field.number, field.is_repeated) == (same.number, same.is_repeated)


def test_every_faster_reading_is_tested() -> None:
    assert set(READINGS) == {name for name in pb.DESCRIPTOR.message_types_by_name if name.startswith("Read")}
