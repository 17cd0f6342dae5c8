"""A check against code with a bug planted in it: `python -m tests.fuzz.broken MODULE BEFORE AFTER TARGET`

It tries what is kept. With the arguments of `engine` in place of a target it fuzzes.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from tests.fuzz.targets import TARGETS


class _Planted(SourceFileLoader):
    def __init__(self, name: str, path: str, before: str, after: str) -> None:
        super().__init__(name, path)
        self._before, self._after = before, after

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path).decode()
        if self._before not in source:
            raise SystemExit(f"{fullname} has no {self._before!r}")
        return self.source_to_code(source.replace(self._before, self._after).encode(), path)


class _Planter:
    def __init__(self, module: str, before: str, after: str) -> None:
        self._module, self._before, self._after = module, before, after

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._module:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Planted(name, spec.origin, self._before, self._after)
        return spec


def main(module: str, before: str, after: str, *arguments: str) -> None:
    sys.meta_path.insert(0, _Planter(module, before, after))
    importlib.import_module(module)  # now, since the fuzzer has an importer of its own
    if len(arguments) > 1:
        from tests.fuzz import engine

        engine.main(*arguments)
    target = TARGETS[arguments[0]]
    check = target.load()
    for path in target.inputs():
        check(path.read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
