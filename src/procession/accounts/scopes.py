"""What an application key may do besides reading processes, by Datadog's names."""

from __future__ import annotations

import enum
from typing import Final


class Scope(enum.StrEnum):
    MONITORS_READ = "monitors_read"
    MONITORS_WRITE = "monitors_write"
    MONITORS_DOWNTIME = "monitors_downtime"
    HOST_TAGS_WRITE = "host_tags_write"
    MANAGE_INTEGRATIONS = "manage_integrations"
    """Channels of notifications: where they go, and their secrets."""
    USER_ACCESS_MANAGE = "user_access_manage"
    """Users of the org, and their roles."""
    AUDIT_LOGS_READ = "audit_logs_read"
    """Who changed what."""
    AUDIT_READ = "audit_read"
    """Who asked what: for auditors, and not for those who are watched. Datadog has no such scope."""


OF_RESTRICTED: Final = frozenset({Scope.MONITORS_READ})
"""What a restricted reader may have: that which is told in part."""
