from __future__ import annotations

from procession.accounts.scopes import Scope


def test_scopes_have_the_names_that_they_have_at_datadog() -> None:
    assert set(Scope) == {
        "monitors_read",
        "monitors_write",
        "monitors_downtime",
        "host_tags_write",
        "manage_integrations",
        "user_access_manage",
        "audit_logs_read",
        "audit_read",
    }
