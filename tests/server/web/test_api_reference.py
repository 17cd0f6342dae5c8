from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from procession.server.web.api_reference import render_docs
from procession.server.web.openapi import load_document
from tests.support.served import Client

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Follows the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            assert name in ("lang", "charset", "name", "content", "href", "id"), name
            if name == "href":
                self.links.add(value or "")
            if name == "id":
                self.anchors.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page() -> Reader:
    reader = Reader()
    reader.feed(render_docs(load_document()))
    return reader


def test_the_page_is_whole(page: Reader) -> None:
    assert page.open == []
    assert len(page.anchors) == len(set(page.anchors))


def test_the_page_loads_nothing_and_runs_nothing(page: Reader) -> None:
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}


def test_links_lead_somewhere(page: Reader) -> None:
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.anchors)


def test_the_page_shows_all_that_the_description_has(client: Client) -> None:
    text = client.get("/docs").text
    document = load_document()

    for path in document["paths"]:
        assert any(f"<code>{method} {path}</code>" in text for method in ("GET", "POST", "PUT", "PATCH", "DELETE"))
    for name in ("page[limit]", "page[cursor]", "meta.page.after", "DD-APPLICATION-KEY", "X-DD-Request-ID"):
        assert f"<code>{name}</code>" in text
    for schema in document["components"]["schemas"]:
        assert f'<h3 id="{schema}">' in text


def test_text_of_the_description_cannot_become_markup() -> None:
    document = load_document()
    document["info"]["description"] = "<script>`<b>`</script>"

    assert "<p>&lt;script&gt;<code>&lt;b&gt;</code>&lt;/script&gt;</p>" in render_docs(document)


def test_the_policy_lets_the_page_use_its_own_style_and_nothing_else(client: Client) -> None:
    answer = client.get("/docs")

    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
