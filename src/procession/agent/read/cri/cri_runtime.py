"""What containerd or CRI-O say of their containers and pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from procession.agent.read.container_runtimes import (
    LABELS,
    MAX_ANSWER_BYTES,
    TIMEOUT_SECONDS,
    ContainerRuntimeError,
    image_tags,
)
from procession.agent.read.cri.fields import Damaged, FieldReader, Value
from procession.agent.read.cri.unary_call import unary_call
from procession.agent.tag_text import tag_of
from procession.process import MAX_UINT32
from procession.text.characters import text
from procession.wire.datadog import ContainerInfo

_SERVICE: Final = "/runtime.v1.RuntimeService"
_RUNS: Final = 1

# The numbers of fields in `runtime.v1`.
_LISTED = 1
"""Of both answers, what they list."""
_OF_CONTAINER: Final = {
    "id": 1, "pod": 2, "metadata": 3, "image": 4, "image_ref": 5, "state": 6, "created_at": 7, "labels": 8
}  # fmt: skip
_OF_POD: Final = {"id": 1, "metadata": 2, "created_at": 4, "labels": 5}
_NAME = 1
_NAMESPACE = 3
"""Of the metadata of a pod."""
_IMAGE, _IMAGE_AS_SPECIFIED = 1, 18
_KEY, _VALUE = 1, 2


class CriRuntime:
    """One socket. For one thread at a time."""

    def __init__(self, path: str, labels: Mapping[str, str] | None = None) -> None:
        self.path = path.removeprefix("unix://")
        self.name = "cri-o" if "crio" in self.path else "containerd"
        self._labels = LABELS | dict(labels or {})

    def containers(self) -> dict[str, ContainerInfo]:
        """The running containers and the pods, by id. Raises ContainerRuntimeError where it cannot be asked."""
        pods = {pod.text("id"): pod for pod in self._listed("ListPodSandbox", _OF_POD)}
        containers = self._listed("ListContainers", _OF_CONTAINER)
        found = [self._info_of_pod(pod) for pod in pods.values()]
        found += [
            self._info(one, pods.get(one.text("pod"), _NO_POD)) for one in containers if one.number("state") == _RUNS
        ]
        return {info.container_id: info for info in found if info.container_id}

    def _listed(self, call: str, numbers: Mapping[str, int]) -> list[_Item]:
        data = unary_call(self.path, f"{_SERVICE}/{call}", b"", seconds=TIMEOUT_SECONDS, max_bytes=MAX_ANSWER_BYTES)
        reader = FieldReader()
        try:
            return [_Item.of(one, numbers, reader) for one in reader.messages(data, _LISTED)]
        except Damaged:
            raise ContainerRuntimeError(f"the answer to {call} is damaged") from None

    def _info(self, one: _Item, pod: _Item) -> ContainerInfo:
        images = (one.within("image", _IMAGE_AS_SPECIFIED), one.within("image", _IMAGE), one.text("image_ref"))
        image = next(filter(image_tags, images), "")  # some of them may be ids
        name = one.within("metadata", _NAME)
        return self._made(one, name, image, [tag_of("container_name", name), *image_tags(image)], pod)

    def _info_of_pod(self, pod: _Item) -> ContainerInfo:
        """What holds the namespaces of a pod is a container with the id of the pod."""
        return self._made(pod, "", "", [], pod)

    def _made(self, one: _Item, name: str, image: str, tags: list[str], pod: _Item) -> ContainerInfo:
        container_id = one.text("id")
        created_at = one.number("created_at") // 10**9
        tags = [tag_of("container_id", container_id), *tags, *self._tags_of(one.labels, pod)]
        return ContainerInfo(
            container_id=container_id,
            runtime=self.name,
            name=name,
            image=image,
            created_at=created_at if 0 < created_at <= MAX_UINT32 else 0,
            tags=tuple(tag for tag in tags if tag),
        )

    def _tags_of(self, labels: Mapping[str, str], pod: _Item) -> list[str]:
        """What a pod is called counts more than labels that say so, and a container's labels more than its pod's."""
        both = {**pod.labels, **labels}
        values = {tag: both[label] for label, tag in self._labels.items() if label in both}
        named = {"pod_name": pod.within("metadata", _NAME), "kube_namespace": pod.within("metadata", _NAMESPACE)}
        return [tag_of(tag, value) for tag, value in (values | {k: v for k, v in named.items() if v}).items()]


class _Item:
    """A container or a pod."""

    def __init__(
        self, values: Mapping[str, Value], parts: Mapping[tuple[str, int], str], labels: dict[str, str]
    ) -> None:
        self._values = values
        self._parts = parts
        self.labels = labels

    @classmethod
    def of(cls, data: bytes, numbers: Mapping[str, int], reader: FieldReader) -> _Item:
        """Raises Damaged."""
        names = {number: name for name, number in numbers.items()}
        values: dict[str, Value] = {}
        parts: dict[tuple[str, int], str] = {}
        labels: dict[str, str] = {}
        for number, value in reader.fields(data):
            name = names.get(number)
            if name == "labels" and isinstance(value, bytes):
                entry = dict(reader.fields(value))
                labels[_text(entry.get(_KEY))] = _text(entry.get(_VALUE))
            elif name in ("metadata", "image") and isinstance(value, bytes):
                parts |= {(name, part): _text(found) for part, found in reader.fields(value)}
            elif name is not None:
                values[name] = value
        return cls(values, parts, labels)

    def text(self, name: str) -> str:
        return _text(self._values.get(name))

    def number(self, name: str) -> int:
        value = self._values.get(name, 0)
        return value if isinstance(value, int) else 0

    def within(self, name: str, number: int) -> str:
        """A text of its metadata or of its image."""
        return self._parts.get((name, number), "")


_NO_POD = _Item({}, {}, {})


def _text(value: Value | None) -> str:
    return text(value) if isinstance(value, bytes) else ""
