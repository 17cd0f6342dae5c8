"""Descriptions, taken apart into what many processes have in common.

A description is the text of a process (command line, executable, names, user), its labels (tags, container, folders,
ids), and two numbers of its own. Each distinct text and each distinct set of labels is kept once, under a number.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from sys import intern
from typing import Generic, NamedTuple, TypeVar

import msgspec
import numpy as np

from procession.discovery import characters_of_discovery, discovered_tags
from procession.process import ProcessDescription
from procession.search.pattern import Pattern, fold
from procession.storage.live.columns import NO_NUMBER, Array

_replace = msgspec.structs.replace

Value = TypeVar("Value", bound=msgspec.Struct)

_OVERHEAD = 420
"""Bytes of an entry besides its characters: the value, its headers, and its place in the dictionary."""

_MAX_REMEMBERED_BYTES = 64 * 2**20

_USED_SHARE = 0.5
"""Of the tags with a key, below which those that nobody has any more are forgotten."""

_MANY = 10_000
"""Distinct users or commands, from which on those that nobody has any more are looked for."""


class Text(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """The part of a description that says which program with which arguments."""

    cmdline: str
    argument_words: bytes
    """As 32-bit integers: as objects they take five times the memory."""
    exe: str
    comm: str
    command: str
    user: str


class Dictionary(Generic[Value]):
    """Values under numbers. The number of a value that is forgotten goes to another one."""

    def __init__(self) -> None:
        self.values: list[Value | None] = []
        self._numbers: dict[Value, int] = {}
        self._free: list[int] = []
        self.characters = 0

    def __len__(self) -> int:
        return len(self.values)

    def held_bytes(self) -> int:
        return self.characters + _OVERHEAD * len(self._numbers)

    def find(self, value: Value) -> int | None:
        return self._numbers.get(value)

    def add(self, value: Value, characters: int) -> int:
        """The number of one that is new."""
        number = self._free.pop() if self._free else len(self.values)
        if number == len(self.values):
            self.values.append(value)
        else:
            self.values[number] = value
        self._numbers[value] = number
        self.characters += characters
        return number

    def __getitem__(self, number: int) -> Value:
        value = self.values[number]
        if value is None:
            raise KeyError(number)
        return value

    def forget(self, number: int, characters: int) -> None:
        value = self[number]
        del self._numbers[value]
        self.values[number] = None
        self._free.append(number)
        self.characters -= characters

    def restore(self, values: list[Value | None]) -> None:
        self.values = values
        self._numbers = {value: number for number, value in enumerate(values) if value is not None}
        self._free = [number for number, value in enumerate(values) if value is None]
        self.characters = sum(map(_characters, self._numbers))

    def unused(self, is_used: Array) -> Iterator[int]:
        for number in np.flatnonzero(~is_used[: len(self.values)]).tolist():
            if self.values[number] is not None:
                yield number


class Parts(NamedTuple):
    """A description as a row has it."""

    text: int
    labels: int
    ppid: int
    namespace_pid: int


class Descriptions:
    """Of one org."""

    def __init__(self, on_text: Callable[[int], None]) -> None:
        """`on_text`: told of the number of each text that is new, or forgotten."""
        self.texts = Dictionary[Text]()
        self.labels = Dictionary[ProcessDescription]()
        self.tags = TagIndex()
        self.discovered = TagIndex()
        """The same of what was found out."""
        self.users = _Column()
        self.commands = _Column()
        self._on_text = on_text
        self._remembered: dict[tuple[int, int, int, int], ProcessDescription] = {}
        self._remembered_briefs: dict[tuple[int, int, int], ProcessDescription] = {}
        self._remembered_bytes = 0

    def held_bytes(self) -> int:
        names = 8 * len(self.texts)
        parts = self.texts.held_bytes() + self.labels.held_bytes()
        parts += self.tags.held_bytes() + self.discovered.held_bytes()
        return parts + names + self._remembered_bytes

    def parts_of(self, description: ProcessDescription) -> Parts:
        text = Text(
            description.cmdline,
            array("I", description.argument_words).tobytes(),
            description.exe,
            description.comm,
            description.command,
            description.user,
        )
        namespace_pid = description.namespace_pid
        labels = _replace(
            description,
            cmdline="",
            argument_words=(),
            exe="",
            comm="",
            command="",
            user="",
            ppid=0,
            namespace_pid=None,
        )
        return Parts(
            self._text(text),
            self._labels(labels),
            description.ppid,
            NO_NUMBER if namespace_pid is None else namespace_pid,
        )

    def brief(self, text: int, labels: int, ppid: int) -> ProcessDescription:
        """Of some `Parts`: only what a public list shows is as it was. Remembered as by `remembered`."""
        found = self._remembered_briefs.get((text, labels, ppid))
        if found is None:
            said = self.texts[text]
            found = _replace(self.labels[labels], cmdline=said.cmdline, command=said.command, user=said.user, ppid=ppid)
            self._count_remembered(_OVERHEAD)
            self._remembered_briefs[text, labels, ppid] = found
        return found

    def whole(self, text: int, labels: int, ppid: int, namespace_pid: int) -> ProcessDescription:
        """Of `Parts`."""
        said = self.texts[text]
        return _replace(
            self.labels[labels],
            cmdline=said.cmdline,
            argument_words=words_of(said),
            exe=said.exe,
            comm=said.comm,
            command=said.command,
            user=said.user,
            ppid=ppid,
            namespace_pid=None if namespace_pid == NO_NUMBER else namespace_pid,
        )

    def remembered(self, parts: tuple[int, int, int, int]) -> ProcessDescription:
        """The same object as before, as far as there is room: for what is asked again every few seconds. May be called
        by several readers at once."""
        found = self._remembered.get(parts)
        if found is None:
            found = self.whole(*parts)
            self._count_remembered(_OVERHEAD + 40 * len(found.argument_words))
            self._remembered[parts] = found
        return found

    def _count_remembered(self, size: int) -> None:
        if self._remembered_bytes > _MAX_REMEMBERED_BYTES:
            self._forget_remembered()
        self._remembered_bytes += size

    def _forget_remembered(self) -> None:
        self._remembered, self._remembered_briefs, self._remembered_bytes = {}, {}, 0

    def _text(self, text: Text) -> int:
        number = self.texts.find(text)
        if number is None:
            # Many texts and labels have the same words in them, each time as another object.
            text = _replace(
                text, exe=intern(text.exe), comm=intern(text.comm), command=intern(text.command), user=intern(text.user)
            )
            number = self.texts.add(text, _characters(text))
            self.users.put(number, text.user)
            self.commands.put(number, text.command)
            self._on_text(number)
        return number

    def _labels(self, labels: ProcessDescription) -> int:
        number = self.labels.find(labels)
        if number is None:
            labels = _replace(labels, tags=tuple(map(intern, labels.tags)), cwd=intern(labels.cwd))
            number = self.labels.add(labels, _characters(labels))
            self._index(number, labels)
        return number

    def _index(self, number: int, labels: ProcessDescription) -> None:
        self.tags.add(number, _tags(labels))
        if labels.discovery is not None:
            self.discovered.add(number, discovered_tags(labels.discovery))

    def tag_keys(self, key: str) -> list[TagKey]:
        """What there is of a folded key, among tags and what was found out."""
        return [index.by_key[key] for index in (self.tags, self.discovered) if key in index.by_key]

    def restore(self, texts: list[Text | None], labels: list[ProcessDescription | None]) -> None:
        """Those of a checkpoint, by their numbers."""
        self.texts.restore(texts)
        self.labels.restore(labels)
        for number, text in enumerate(texts):
            self._on_text(number)
            if text is not None:
                self.users.put(number, text.user)
                self.commands.put(number, text.command)
        for number, value in enumerate(labels):
            if value is not None:
                self._index(number, value)

    def forget_unused(self, texts: Array, labels: Array) -> None:
        """What nobody has any more; by number, whether somebody has it."""
        # Numbers go to others.
        self._forget_remembered()
        for number in self.texts.unused(texts):
            self.texts.forget(number, _characters(self.texts[number]))
            self._on_text(number)
        if len(self.users.values) + len(self.commands.values) > _MANY:
            self._forget_names()
        forgotten = list(self.labels.unused(labels))
        for number in forgotten:
            self.labels.forget(number, _characters(self.labels[number]))
        if forgotten:
            self.tags.keep(labels)
            self.discovered.keep(labels)

    def _forget_names(self) -> None:
        self.users, self.commands = _Column(), _Column()
        for number, value in enumerate(self.texts.values):
            if value is not None:
                self.users.put(number, value.user)
                self.commands.put(number, value.command)


class TagKey:
    """The tags with one key, and which sets of labels have which of them."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self._numbers: dict[str, int] = {}
        self._folded: defaultdict[str, list[int]] = defaultdict(list)
        self._labels = array("i")
        self._tags = array("i")

    def __len__(self) -> int:
        return len(self._labels)

    def add(self, tag: str, labels: int) -> None:
        number = self._numbers.get(tag)
        if number is None:
            number = self._numbers[tag] = len(self.tags)
            self.tags.append(tag)
            self._folded[fold(tag)].append(number)
        self._labels.append(labels)
        self._tags.append(number)

    def pairs(self) -> tuple[Array, Array]:
        """Sets of labels, and the number of a tag that each has."""
        return np.array(self._labels, "i4"), np.array(self._tags, "i4")

    def keep(self, is_kept: Array) -> None:
        """Only what is of these sets of labels."""
        labels, tags = self.pairs()
        kept = is_kept[labels]
        if kept.all():
            return
        labels, tags = labels[kept], tags[kept]
        is_used = np.zeros(len(self.tags), bool)
        is_used[tags] = True
        if is_used.mean() < _USED_SHARE:
            names = [self.tags[number] for number in np.flatnonzero(is_used).tolist()]
            tags = (np.cumsum(is_used, dtype="i4") - 1)[tags]
            self.tags, self._numbers = names, {tag: number for number, tag in enumerate(names)}
            self._folded = defaultdict(list)
            for number, tag in enumerate(names):
                self._folded[fold(tag)].append(number)
        self._labels, self._tags = array("i", labels.tobytes()), array("i", tags.astype("i4").tobytes())

    def matching(self, pattern: Pattern) -> list[int]:
        """Numbers of tags."""
        if pattern.is_literal:
            return self._folded.get(pattern.text, [])
        return [number for folded, some in self._folded.items() if pattern.matches(folded) for number in some]

    def fitting(self, fits: Callable[[str], bool]) -> list[int]:
        """Numbers of those that fit when they are folded."""
        return [number for folded, some in self._folded.items() if fits(folded) for number in some]

    def labels_with(self, tags: list[int]) -> Array:
        labels, numbers = self.pairs()
        is_wanted = np.zeros(len(self.tags), bool)
        is_wanted[tags] = True
        found: Array = labels[is_wanted[numbers]]
        return found


class TagIndex:
    """From tags to the sets of labels that have them; with the tags that sets of labels have for being zombies."""

    def __init__(self) -> None:
        self.by_key: defaultdict[str | None, TagKey] = defaultdict(TagKey)
        """Folded key, None for tags without one."""

    def held_bytes(self) -> int:
        return sum(8 * len(one) + 350 * len(one.tags) for one in self.by_key.values())

    def add(self, labels: int, tags: tuple[str, ...]) -> None:
        for tag in tags:
            key, colon, _ = tag.partition(":")
            self.by_key[fold(key) if colon else None].add(tag, labels)

    def keep(self, is_kept: Array) -> None:
        """Only what is of these sets of labels."""
        for name, of_key in list(self.by_key.items()):
            of_key.keep(is_kept)
            if not len(of_key):
                del self.by_key[name]

    def labels_with(self, pattern: Pattern, key: str | None) -> list[Array]:
        """Sets of labels that have a tag that fits and, where it is given, has this folded key."""
        if key is None:
            beginning, colon, _ = pattern.parts[0].partition(":")
            if colon or pattern.is_literal:
                key = beginning if colon else None
                of_keys = [self.by_key[key]] if key in self.by_key else []
            else:
                of_keys = list(self.by_key.values())
        else:
            of_keys = [self.by_key[key]] if key in self.by_key else []
        return [one.labels_with(tags) for one in of_keys if (tags := one.matching(pattern))]


class _Column:
    """Short texts of which there are few, one for each number."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._numbers: dict[str, int] = {}
        self.of = np.zeros(64, "i4")

    def put(self, number: int, value: str) -> None:
        while number >= len(self.of):
            self.of = np.concatenate([self.of, np.zeros_like(self.of)])
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = len(self.values)
            self.values.append(value)
        self.of[number] = found


def words_of(text: Text) -> tuple[int, ...]:
    """Where its arguments end."""
    words = array("I")
    words.frombytes(text.argument_words)
    return tuple(words)


def _tags(labels: ProcessDescription) -> tuple[str, ...]:
    return (*labels.tags, "state_zombie:true" if labels.is_zombie else "state_zombie:false")


def _characters(part: msgspec.Struct) -> int:
    """Bytes of its characters, about; of texts twice, since they are folded as well."""
    if isinstance(part, Text):
        return 2 * (_size(part.cmdline) + _size(part.exe)) + _size(part.command) + len(part.argument_words)
    if isinstance(part, ProcessDescription):
        size = _size(part.cwd) + _size(part.root) + _size(part.container_id) + 8 * len(part.tags)
        return size + characters_of_discovery(part.discovery)
    return 0


def _size(text: str) -> int:
    return len(text) if text.isascii() else 4 * len(text)
