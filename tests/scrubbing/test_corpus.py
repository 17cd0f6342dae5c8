"""How much of what is secret is hidden, and that nothing else is: measured on lines written without the patterns."""

from __future__ import annotations

import pytest

from procession.scrubbing import Scrubber
from tests.scrubbing.corpus_reader import MarkedLine, harmless_lines, marked_lines, written_lines

MARKED = marked_lines()
HARMLESS = harmless_lines()


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber()


def shown(line: MarkedLine, scrubbed: tuple[str, ...]) -> list[str]:
    """The secrets of `line` that can still be read."""
    if len(scrubbed) != len(line.arguments):
        joined = " ".join(scrubbed)
        return [secret for argument in line.arguments for secret in argument.secrets if secret in joined]
    return [
        secret
        for argument, after in zip(line.arguments, scrubbed, strict=True)
        for secret in argument.secrets
        if argument.shows(secret, after)
    ]


def lost(line: MarkedLine, scrubbed: tuple[str, ...]) -> list[str]:
    """What `line` says must survive, and did not."""
    if len(scrubbed) != len(line.arguments):
        return ["the number of arguments"]
    return [
        kept
        for argument, after in zip(line.arguments, scrubbed, strict=True)
        for kept in argument.kept
        if (kept not in after if argument.secrets else kept != after)
    ]


def test_corpus_is_as_large_as_it_says() -> None:
    secrets = sum(len(argument.secrets) for line in MARKED for argument in line.arguments)
    programs = {line.words[0] for line in MARKED}

    assert len({line.words for line in MARKED}) == len(MARKED) >= 1300
    assert secrets >= 1400
    assert len(programs) >= 300
    assert len(set(written_lines("harmless.txt"))) >= 1500
    assert len(HARMLESS) >= 5000


def test_at_least_99_of_100_secrets_are_hidden(scrubber: Scrubber, capsys: pytest.CaptureFixture[str]) -> None:
    total = sum(len(argument.secrets) for line in MARKED for argument in line.arguments)

    misses = [(line, shown(line, scrubber.scrub(line.words))) for line in MARKED]

    missed = sum(len(secrets) for _, secrets in misses)
    recall = 1 - missed / total
    with capsys.disabled():
        print(f"\nrecall {recall:.2%}: {total - missed} of {total} secrets in {len(MARKED)} lines")  # noqa: T201
    assert recall >= 0.99, "still shown:\n" + "\n".join(f"{line.written}  {left}" for line, left in misses if left)


def test_what_is_no_secret_survives_beside_a_secret(scrubber: Scrubber, capsys: pytest.CaptureFixture[str]) -> None:
    losses = [(line, scrubbed, lost(line, scrubbed)) for line in MARKED if (scrubbed := scrubber.scrub(line.words))]

    damaged = [(line, scrubbed, gone) for line, scrubbed, gone in losses if gone]
    with capsys.disabled():
        print(f"\n{len(damaged)} of {len(MARKED)} lines lost more than their secrets")  # noqa: T201
    assert not damaged, "\n".join(f"{line.written}  lost {gone}: {after}" for line, after, gone in damaged)


def test_no_harmless_line_is_changed(scrubber: Scrubber, capsys: pytest.CaptureFixture[str]) -> None:
    changed = [(line, scrubbed) for line in HARMLESS if (scrubbed := scrubber.scrub(line)) != line]

    with capsys.disabled():
        print(f"\n{len(changed)} of {len(HARMLESS)} harmless lines were changed")  # noqa: T201
    assert not changed, "\n".join(f"{before}\n    became {after}" for before, after in changed)
