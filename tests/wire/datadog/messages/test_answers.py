from __future__ import annotations

import pytest

from procession.wire.datadog import Answer, FrameError, decode_answer, encode_answer
from tests.support.agents.vectors import vector


def test_answers_are_those_that_agents_know() -> None:
    assert encode_answer(Answer()) == vector("res_idle")
    assert encode_answer(Answer(active_clients=1)) == vector("res_realtime")
    assert encode_answer(Answer(message="rejected")) == vector("res_error")


def test_an_answer_always_has_a_status_since_agents_read_through_it() -> None:
    assert encode_answer(Answer(0, 0)) == vector("res_status_present_but_zero")


@pytest.mark.parametrize("answer", [Answer(), Answer(3), Answer(0, 10), Answer(message="no")])
def test_an_answer_comes_back_as_it_was(answer: Answer) -> None:
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize("name", ["res_without_status_DO_NOT_SEND", "res_status_present_but_zero"])
def test_an_answer_without_an_interval_means_the_usual_one(name: str) -> None:
    assert decode_answer(vector(name)) == Answer()


@pytest.mark.parametrize("data", [b"", b'{"errors":[]}', vector("proc_min_enc0"), vector("res_idle") + b"\x1a\x09"])
def test_what_no_intake_says_is_no_answer(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode_answer(data)
