"""Which processes have a word in their host, or in the value of a tag."""

from __future__ import annotations

import numpy as np

from procession.search.evaluation import value_within
from procession.search.pattern import Pattern, fold
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array
from procession.storage.live.org_table import OrgTable


class WordInTags:
    """Looked up once by number of a host, a set of labels and a command; in the user it is looked for with the text."""

    def __init__(self, table: OrgTable, pattern: Pattern) -> None:
        descriptions = table.descriptions
        self._commands_of = descriptions.commands.of
        self._labels = np.zeros(len(descriptions.labels), bool)
        for of_key in (*descriptions.tags.by_key.values(), *descriptions.discovered.by_key.values()):
            tags = of_key.fitting(lambda tag: pattern.is_within(value_within(tag)))
            if tags:
                self._labels[of_key.labels_with(tags)] = True
        self._hosts = np.array(
            [host is not None and pattern.is_within(value_within(host.tag)) for host in table.hosts], bool
        )
        self._commands = np.array([pattern.is_within(fold(name)) for name in descriptions.commands.values], bool)

    def of(self, candidates: Candidates) -> Array:
        found: Array = self._hosts[candidates.column("host")]
        if self._labels.any():
            found = found | self._labels[candidates.column("labels")]
        if self._commands.any():
            found = found | self._commands[self._commands_of[candidates.column("text")]]
        return found
