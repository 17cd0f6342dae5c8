from __future__ import annotations

from procession.command_line.arguments import arguments_of
from procession.process import ProcessDescription
from procession.scrubbing import Scrubber
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.messages.commands import CommandReader, Scrub
from procession.wire.datadog.messages.descriptions import (
    NOBODY,
    DescriptionDecoder,
    describe,
    encode_description,
)


def a_decoder(max_bytes: int) -> DescriptionDecoder:
    decoder = DescriptionDecoder(CacheBudget(max_bytes, lambda: decoder.forget()), max_tags=10)
    return decoder


def decode(decoder: DescriptionDecoder, name: str) -> ProcessDescription:
    process = pb.ReadProcess(pid=1, command=pb.Command(args=[name]).SerializeToString())
    return decoder.decode(process, decoder.context_of((), "", is_windows=False), False)


def remembered(decoder: DescriptionDecoder) -> int:
    return len(decoder.context_of((), "", is_windows=False))


def test_a_description_seen_before_is_the_same_object() -> None:
    decoder = a_decoder(100_000)

    assert decode(decoder, "nginx") is decode(decoder, "nginx")


def test_only_so_much_is_remembered() -> None:
    decoder = a_decoder(100_000)

    most = 0
    for number in range(10_000):
        decode(decoder, str(number))
        most = max(most, remembered(decoder))

    assert 50 < most <= 101


def test_a_large_description_counts_for_more() -> None:
    decoder = a_decoder(100_000)

    for number in range(100):
        decode(decoder, "x" * 30_000 + str(number))

    assert remembered(decoder) <= 2


def test_a_fleet_somewhat_too_large_still_finds_much_of_what_is_held() -> None:
    decoder = a_decoder(100_000)
    names = [f"process {number}" for number in range(130)]

    found = 0
    for _ in range(20):
        for name in names:
            before = remembered(decoder)
            known = set(map(id, decoder.context_of((), "", is_windows=False).values()))
            found += id(decode(decoder, name)) in known and remembered(decoder) == before

    assert found > 0.4 * 20 * len(names)


def test_of_all_texts_only_the_command_line_may_have_megabytes() -> None:
    long = "x" * 100_000
    command = pb.Command(args=[long, long], exe=long, cwd=long, root=long, comm=long)
    process = pb.ReadProcess(
        pid=1,
        command=command.SerializeToString(),
        user=pb.ProcessUser(name=long, groupName=long).SerializeToString(),
        tags=[f"key:{long}"],
    )
    decoder = a_decoder(10**7)

    found = decoder.decode(process, decoder.context_of((), "", is_windows=False), False)

    assert len(found.cmdline) == 200_001
    assert [len(text) for text in (found.exe, found.cwd, found.root)] == [4096] * 3
    assert [len(text) for text in (found.comm, found.command, found.user, found.group_name)] == [255] * 4
    assert [len(tag) for tag in found.tags] == [1000]


def described(*args: str, scrub: Scrub | None = None, is_whole: bool) -> ProcessDescription:
    return describe(pb.Command(args=args, argsAreWhole=is_whole), NOBODY, CommandReader(scrub), is_windows=False)


def test_arguments_end_where_an_agent_of_ours_says() -> None:
    found = described("/opt/my app/run", "", "-c", "sleep 1; true", is_whole=True)

    assert found.cmdline == "/opt/my app/run -c sleep 1; true"
    assert arguments_of(found.cmdline, found.argument_words) == ["/opt/my app/run", "", "-c", "sleep 1; true"]


def test_where_the_arguments_of_other_agents_end_is_not_known_and_their_line_is_as_it_was() -> None:
    found = described("/opt/my app/run", "", "-c", is_whole=False)

    assert (found.cmdline, found.argument_words) == ("/opt/my app/run  -c", ())


def test_arguments_end_where_they_did_once_secrets_are_hidden() -> None:
    found = described("a b", "--password", "x y", scrub=Scrubber().scrub, is_whole=True)

    assert arguments_of(found.cmdline, found.argument_words) == ["a b", "--password", "********"]


def test_a_process_has_one_name_whichever_agent_sends_it() -> None:
    arguments, exe = ("/usr/lib/p/Plex Media Server", "-x"), "/usr/lib/p/Plex Media Server"
    ours = pb.Process()
    encode_description(ProcessDescription(cmdline=" ".join(arguments), argument_words=(3,), exe=exe), ours)
    older = pb.Process()
    encode_description(ProcessDescription(cmdline=" ".join(arguments), exe=exe), older)
    datadogs = pb.Command(args=arguments, exe=exe)

    names = [
        describe(one, NOBODY, CommandReader(), is_windows=False).command
        for one in (ours.command, older.command, datadogs)
    ]

    assert list(ours.command.args) == list(arguments)
    assert list(older.command.args) == ["/usr/lib/p/Plex", "Media", "Server", "-x"]
    assert names == ["Plex Media Server"] * 3
