"""An OpenAPI document as one page to read: no script, and nothing that is loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2rem; overflow-wrap: anywhere; }
code { font: 0.9em ui-monospace, monospace; background: var(--soft); padding: 0.1em 0.3em; border-radius: 3px; }
h3 code { background: none; padding: 0; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; border-top: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
nav ul { columns: 2 20rem; padding-left: 1rem; }
"""

# The page may use the style above, and nothing else.
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

_KEYS = {
    "apiKey": "API key (`DD-API-KEY`)",
    "apiKeyInQuery": "API key (`api_key` in the query)",
    "applicationKey": "application key (`DD-APPLICATION-KEY`)",
    "applicationKeyAsBearer": "application key (`Authorization: Bearer`)",
    "session": "session of the page (cookie)",
    "adminKey": "admin key (`Authorization: Bearer`)",
}


def render_docs(document: Mapping[str, Any]) -> str:
    info = document["info"]
    operations = _operations(document)
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{escape(info['title'])} API</title>",
        f"<style>{_STYLE}</style></head>",
        "<body>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}: API</h1>",
        f"<p>{_text(info['description'])}</p>",
        '<p>The same for programs: <a href="openapi.json">openapi.json</a></p>',
        "<nav><ul>",
        *(
            f'<li><a href="#{_anchor(operation)}">{escape(operation["summary"])}</a></li>'
            for _, _, operation in operations
        ),
        "</ul></nav>",
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2><p>{_text(tag['description'])}</p>")
        for method, paths, operation in operations:
            if tag["name"] in operation["tags"]:
                parts.extend(_operation(method, paths, operation, document))
    parts.append("<h2>Values</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts.extend(_schema(name, schema))
    parts.append("</body></html>")
    return "\n".join(parts) + "\n"


def _operations(document: Mapping[str, Any]) -> list[tuple[str, list[str], Mapping[str, Any]]]:
    """Method, paths and what is said of them; paths that refer to the same go together."""
    found: list[tuple[str, list[str], Mapping[str, Any]]] = []
    paths_of: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        paths = paths_of.setdefault(item.get("$ref", path), [])
        paths.append(path)
        if len(paths) == 1:
            found.extend((method.upper(), paths, operation) for method, operation in _resolved(item, document).items())
    return found


def _anchor(operation: Mapping[str, Any]) -> str:
    return escape(re.sub(r"\W+", "-", operation["summary"].lower()).strip("-"))


def _operation(
    method: str, paths: Iterable[str], operation: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterable[str]:
    lines = "<br>".join(f"<code>{method} {escape(path)}</code>" for path in paths)
    yield f'<h3 id="{_anchor(operation)}">{lines}</h3>'
    yield f"<p><strong>{escape(operation['summary'])}.</strong> {_text(operation.get('description', ''))}</p>"
    ways = [" and ".join(_KEYS[name] for name in way) for way in operation["security"]]
    yield f"<p>Needs: {_text(', or '.join(ways) or 'no key')}.</p>"
    if "parameters" in operation:
        rows = [
            (f"`{parameter['name']}`", _type(parameter["schema"]), _parameter_text(parameter))
            for parameter in operation["parameters"]
        ]
        yield _table(("Parameter", "Type", "Meaning"), rows)
    if "requestBody" in operation:
        yield f"<p>Body: {_content(operation['requestBody'])}</p>"
    responses = []
    for status, response in operation["responses"].items():
        whole = _resolved(response, document)
        responses.append((status, _content(whole), _text(whole["description"])))
    yield _table(("Status", "Body", "Meaning"), responses)


def _schema(name: str, schema: Mapping[str, Any]) -> Iterable[str]:
    yield f'<h3 id="{escape(name)}">{escape(name)}</h3>'
    if schema["type"] != "object":
        yield f"<p>{_type(schema)}</p>"
        return
    rows = [
        (f"`{field}`", _type(shape), _text(shape.get("description", "")))
        for field, shape in _fields(schema["properties"])
    ]
    yield _table(("Field", "Type", "Meaning"), rows)


def _fields(properties: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Names and schemas of all fields; those of nested objects have names such as `meta.page.after`."""
    for name, shape in properties.items():
        if "properties" in shape:
            yield from _fields(shape["properties"], f"{prefix}{name}.")
        else:
            yield prefix + name, shape


def _parameter_text(parameter: Mapping[str, Any]) -> str:
    example = f" Example: `{parameter['example']}`" if "example" in parameter else ""
    return _text(parameter.get("description", "") + example)


def _content(owner: Mapping[str, Any]) -> str:
    return ", ".join(
        f"<code>{escape(media_type)}</code> {_type(content.get('schema', {}))}"
        for media_type, content in owner.get("content", {}).items()
    )


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(map(_type, schema["anyOf"]))
    kind = schema.get("type", "")
    if kind == "array":
        return f"array of {_type(schema['items'])}"
    bounds = "".join(
        f", {word} {schema[key]}"
        for key, word in (("minimum", "at least"), ("maximum", "at most"), ("default", "default"))
        if key in schema
    )
    return escape((" or ".join(kind) if isinstance(kind, list) else kind) + bounds)


def _resolved(value: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = document
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: Mapping[str, Any] = found
    return resolved


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """The cells are HTML, but for the first, which is text."""
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = "".join(
        f"<tr><td>{_text(first)}</td>" + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>" for first, *rest in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _text(text: str) -> str:
    """Text of the document -> HTML: what is between backticks is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
