"""The tags that a container gives to its processes."""

from __future__ import annotations

from collections.abc import Iterator

from procession.text.characters import text
from procession.wire.datadog import process_pb2 as pb


def tags_of(container: pb.ReadContainer | pb.Container) -> list[str | bytes]:
    """The tags of a container, with tags for its name and image if they are missing: older agents sent only fields."""
    tags: list[str | bytes] = list(container.tags)
    keys = {text(tag).partition(":")[0].strip().lower() for tag in tags} if container.name or container.image else set()
    if container.name and "container_name" not in keys:
        tags.append(f"container_name:{text(container.name)}")
    if container.image and "image_name" not in keys:
        tags.extend(_image_tags(text(container.image)))
    return tags


def _image_tags(image: str) -> Iterator[str]:
    """`registry:5000/team/web:1.2@sha256:...` has the name `registry:5000/team/web` and the tag `1.2`."""
    name, _, _ = image.partition("@")
    path, slash, last = name.rpartition("/")
    short, _, tag = last.partition(":")
    if short:
        yield f"image_name:{path}{slash}{short}"
    if tag:
        yield f"image_tag:{tag}"
