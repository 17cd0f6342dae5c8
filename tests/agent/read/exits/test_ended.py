from __future__ import annotations

import pytest

from procession.agent.read.exits.ended import shell_code


@pytest.mark.parametrize(("status", "code"), [(0, 0), (3 << 8, 3), (255 << 8, 255), (9, 137), (11 | 0x80, 139)])
def test_a_status_is_told_as_a_shell_has_it(status: int, code: int) -> None:
    assert shell_code(status) == code
