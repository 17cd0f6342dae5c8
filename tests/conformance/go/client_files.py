"""Copies what the programs use of Datadog's Go client to build/client: files as they are, without those that nothing
of it refers to.

All of the client is 60 MB of Go in two packages, which a compiler works on for minutes. Without a file that is used, it
does not compile.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE / "build"
DOCS = HERE.parents[2] / "docs" / "clients.md"
MODULE = "github.com/DataDog/datadog-api-client-go/v2"
WHOLE = "datadog"
"""The package that the others stand on."""
IN_PART = ("datadogV1", "datadogV2")

_DECLARED = re.compile(r"^(?:func|type) (\w+)", re.MULTILINE)
_NO_CODE = re.compile(r"//[^\n]*|`[^`]*`|\"(?:[^\"\\\n]|\\.)*\"")
_FIELD = re.compile(r"^\t[A-Z]\w*(?=\s+[*\[\w])", re.MULTILINE)
_NAME = re.compile(r"(?<![.\w])[A-Za-z_]\w*")


def main() -> None:
    command = ("go", "mod", "download", "-json", MODULE)  # which compares it with go.sum
    answer = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
    module = Path(json.loads(answer.stdout)["Dir"])
    client = BUILD / "client"
    shutil.rmtree(BUILD, ignore_errors=True)
    (client / "api").mkdir(parents=True)
    for path in (module / "go.mod", *module.glob("*.go")):
        shutil.copyfile(path, client / path.name)
    shutil.copytree(module / "api" / WHOLE, client / "api" / WHOLE)
    programs = "\n".join(path.read_text(encoding="utf-8") for path in (*sorted(HERE.glob("*.go")), DOCS))
    for package in IN_PART:
        used = re.findall(rf"\b{package}\.(\w+)", programs)
        (client / "api" / package).mkdir()
        for path in files_of(module / "api" / package, used):
            shutil.copyfile(path, client / "api" / package / path.name)
    replaced = f"\nreplace {MODULE} => ./{client.relative_to(HERE)}\n"
    # Not named go.mod, which would make a module of its own of what is built beside it.
    (BUILD / "client.mod").write_text((HERE / "go.mod").read_text(encoding="utf-8") + replaced, encoding="utf-8")
    shutil.copyfile(HERE / "go.sum", BUILD / "client.sum")


def files_of(package: Path, used: Iterable[str]) -> set[Path]:
    """Those that declare these names, and what they use in turn."""
    texts = {path: path.read_text(encoding="utf-8") for path in package.glob("*.go")}
    declared = {name: path for path, text in texts.items() for name in _DECLARED.findall(text)}
    wanted = {declared[name] for name in used if name in declared}
    found: set[Path] = set()
    while wanted:
        path = wanted.pop()
        found.add(path)
        code = _FIELD.sub("", _NO_CODE.sub("", texts[path]))
        wanted |= {declared[name] for name in _NAME.findall(code) if name in declared} - found
    return found


if __name__ == "__main__":
    main()
