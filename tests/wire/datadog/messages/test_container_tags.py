from __future__ import annotations

from typing import Any

import pytest

from procession.wire.datadog import MessageType, SnapshotDecoder
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.frame import Frame
from tests.support.builders import NOON


def tags_in(**container: Any) -> tuple[str, ...]:
    """Of a process in it."""
    message = pb.CollectorProc(
        hostName="web-1", containers=[pb.Container(id="c1", **container)], processes=[pb.Process(containerId="c1")]
    )
    frame = Frame(MessageType.PROCESSES, message.SerializeToString())
    return SnapshotDecoder().decode(frame, taken_at=NOON).listing.processes[0].description.tags


def test_name_and_image_of_a_container_are_tags_of_its_processes() -> None:
    assert tags_in(name="Web", image="registry:5000/team/nginx:1.25") == (
        "container_name:web",
        "image_name:registry:5000/team/nginx",
        "image_tag:1.25",
    )


def test_tags_that_say_so_already_count() -> None:
    tags = ["Container_Name:shop", "image_name:nginx", "env:prod"]

    assert tags_in(name="web", image="apache:2", tags=tags) == ("container_name:shop", "env:prod", "image_name:nginx")


@pytest.mark.parametrize(
    ("image", "tags"),
    [
        ("nginx", ("image_name:nginx",)),
        ("nginx@sha256:c0ffee", ("image_name:nginx",)),
        ("host:5000/nginx", ("image_name:host:5000/nginx",)),
        (":", ()),
        ("a/:1", ("image_tag:1",)),
        ("", ()),
    ],
)
def test_an_image_has_a_name_and_perhaps_a_tag(image: str, tags: tuple[str, ...]) -> None:
    assert tags_in(image=image) == tags
