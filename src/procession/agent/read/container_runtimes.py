"""Container runtimes, asked over their Unix sockets: Docker, and Podman, which speaks the same.

`GET /containers/json` lists the containers that run: id, names, image, labels. It takes the right to open the socket,
which is as good as root. Nothing else is ever asked, and nothing is changed.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
from typing import Any, Protocol

import msgspec

from procession.agent.tag_text import tag_of
from procession.http_client import Connection, NoAnswer, UnixSocket
from procession.wire.datadog import ContainerInfo

TIMEOUT_SECONDS = 3.0
MAX_ANSWER_BYTES = 8 * 2**20
"""Enough for a machine with some thousand containers."""

LABELS = {
    "com.datadoghq.tags.env": "env",
    "com.datadoghq.tags.service": "service",
    "com.datadoghq.tags.version": "version",
    "io.kubernetes.container.name": "kube_container_name",
    "io.kubernetes.pod.name": "pod_name",
    "io.kubernetes.pod.namespace": "kube_namespace",
}
"""Label -> tag. The user may name more."""


class ContainerRuntimeError(Exception):
    """A runtime that cannot be asked; the text says why."""


class ContainerNames(Protocol):
    """Who knows the containers of this machine."""

    name: str
    path: str
    """Of its socket."""

    def containers(self) -> dict[str, ContainerInfo]:
        """Those that run, by id. Raises ContainerRuntimeError where it cannot be asked."""


class _Listed(msgspec.Struct):
    """An item of the answer. Any other type than these is as if it were not there."""

    id: Any = msgspec.field(name="Id", default="")
    names: Any = msgspec.field(name="Names", default=())
    image: Any = msgspec.field(name="Image", default="")
    created: Any = msgspec.field(name="Created", default=0)
    labels: Any = msgspec.field(name="Labels", default=None)


class ContainerRuntime:
    """One socket. For one thread at a time."""

    def __init__(self, name: str, path: str, labels: dict[str, str] | None = None) -> None:
        self.name = name
        self.path = path.removeprefix("unix://")
        self._labels = LABELS | (labels or {})

    def containers(self) -> dict[str, ContainerInfo]:
        """The running containers, by id. Raises ContainerRuntimeError where the runtime cannot be asked."""
        body = _get(self.path, "/containers/json")
        try:
            listed = msgspec.json.decode(body, type=list[_Listed])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise ContainerRuntimeError("the answer is no list of containers") from None
        found = (self._info(one) for one in listed if isinstance(one.id, str) and one.id)
        return {info.container_id: info for info in found}

    def _info(self, one: _Listed) -> ContainerInfo:
        names = [name.removeprefix("/") for name in _texts(one.names)]
        # Beside its own name it has one for each link from another container: /other/alias.
        name = next((name for name in names if "/" not in name), "")
        image = one.image if isinstance(one.image, str) and image_tags(one.image) else ""
        labels = one.labels if isinstance(one.labels, dict) else {}
        tags = [tag_of("container_id", one.id), tag_of("container_name", name), *image_tags(image)]
        tags += (
            tag_of(tag, value) for label, tag in self._labels.items() if isinstance(value := labels.get(label), str)
        )
        return ContainerInfo(
            container_id=one.id,
            runtime=self.name,
            name=name,
            image=image,
            created_at=one.created if isinstance(one.created, int) and 0 < one.created < 2**32 else 0,
            tags=tuple(tag for tag in tags if tag),
        )


def image_tags(image: str) -> list[str]:
    """`registry:5000/team/web:1.2@sha256:…` -> the tags that a Datadog Agent makes of it."""
    name, _, _ = image.partition("@")
    if not name or re.fullmatch(r"(?:sha256:)?[0-9a-f]{12,64}", image):
        return []  # an id: its name has gone to a newer image
    path, slash, last = name.rpartition("/")
    short, _, tag = last.partition(":")
    return [
        tag_of("docker_image", name),
        tag_of("image_name", path + slash + short),
        tag_of("short_image", short),
        # Who names none has got `latest`, unless a digest says which.
        tag_of("image_tag", tag or ("" if "@" in image else "latest")),
    ]


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _get(path: str, target: str) -> bytes:
    connection = Connection(
        UnixSocket(path),
        connect_seconds=TIMEOUT_SECONDS,
        answer_seconds=TIMEOUT_SECONDS,
        max_answer_bytes=MAX_ANSWER_BYTES + 1,
    )
    deadline = time.monotonic() + TIMEOUT_SECONDS
    # Each read has a time-out of its own, however many there are: of a head that comes byte by byte there are many.
    cut = threading.Timer(TIMEOUT_SECONDS, connection.abort)
    cut.daemon = True
    cut.start()
    try:
        response = connection.request("GET", target, headers={"Accept": "application/json"})
    except NoAnswer as error:
        if isinstance(error.cause, TimeoutError) or time.monotonic() > deadline:
            raise ContainerRuntimeError(f"no answer in {TIMEOUT_SECONDS:g} s") from None
        if isinstance(error.cause, http.client.HTTPException):
            raise ContainerRuntimeError(f"no HTTP: {type(error.cause).__name__}") from None
        raise ContainerRuntimeError(getattr(error.cause, "strerror", None) or str(error.cause)) from None
    finally:
        cut.cancel()
        connection.close()
    if time.monotonic() > deadline:  # it was cut off, and what there is looks whole
        raise ContainerRuntimeError(f"no answer in {TIMEOUT_SECONDS:g} s")
    if len(response.body) > MAX_ANSWER_BYTES:
        raise ContainerRuntimeError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    if response.status != 200:
        raise ContainerRuntimeError(f"it answers {response.status}")
    return response.body
