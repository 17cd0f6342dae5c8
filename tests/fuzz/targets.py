"""All targets: what a fuzzer gives its bytes to. Each has its corpus in `corpus/NAME`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
VECTORS = Path(__file__).parent.parent / "vectors"

Check = Callable[[bytes], None]


@dataclass(frozen=True)
class Target:
    """Fails by raising whatever it raises."""

    name: str
    module: str
    function: str
    max_bytes: int = 512
    most_seconds: float = 2.0
    """Of one check, on a busy machine and with every step counted. What hangs, or grows with a square, takes longer."""
    seeds: str = ""
    """Which of the recorded payloads are tried as well."""
    folder: Path | None = None
    """Where its corpus is, if not with the others."""

    def load(self) -> Check:
        check: Check = getattr(importlib.import_module(f"tests.fuzz.{self.module}"), self.function)

        def bounded(data: bytes) -> None:
            begun = time.thread_time()
            check(data)
            taken = time.thread_time() - begun
            assert taken < self.most_seconds, f"{len(data)} bytes took {taken:.1f} s"

        return bounded

    @property
    def corpus(self) -> Path:
        return self.folder or FOLDER / self.name

    def inputs(self) -> Iterator[Path]:
        """What is kept, and the seeds."""
        yield from sorted(self.corpus.iterdir())
        if self.seeds:
            yield from (path for path in sorted(VECTORS.glob(self.seeds)) if path.stat().st_size <= self.max_bytes)


TARGETS = {
    target.name: target
    for target in (
        Target("frame", "wire_targets", "check_frame", max_bytes=4096, seeds="*.bin"),
        Target("message", "wire_targets", "check_message", max_bytes=4096),
        Target("columns", "wire_targets", "check_columns", max_bytes=4096),
        Target("events", "wire_targets", "check_events", max_bytes=2048, seeds="procevent*.bin"),
        Target("host-metadata", "wire_targets", "check_host_metadata", max_bytes=2048),
        Target("search", "text_targets", "check_search"),
        Target("meaning", "text_targets", "check_meaning"),
        Target("tags", "text_targets", "check_tags"),
        Target("pattern", "text_targets", "check_pattern"),
        Target("scrubbing", "text_targets", "check_scrubbing"),
        Target("stat", "proc_targets", "check_stat"),
        Target("status", "proc_targets", "check_status"),
        Target("io", "proc_targets", "check_io"),
        Target("arguments", "proc_targets", "check_arguments"),
        Target("environment", "proc_targets", "check_environment"),
        Target("boot-time", "proc_targets", "check_boot_time"),
        Target("container-id", "proc_targets", "check_container_id"),
        Target("users", "proc_targets", "check_users"),
        Target("kernel-event", "proc_targets", "check_kernel_event"),
        Target("cursor-text", "asking_targets", "check_cursor_text"),
        Target("cursor", "asking_targets", "check_cursor", most_seconds=5),
        Target("parameters", "asking_targets", "check_parameters"),
        Target("query", "asking_targets", "check_query", most_seconds=5),
    )
}
