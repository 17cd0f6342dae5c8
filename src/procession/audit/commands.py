"""What a command changes in a store itself, while no server runs there: in the same trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procession.accounts.change import STORE_OWNER
from procession.audit.asked import scrubbed_change
from procession.audit.folder import AuditFolder
from procession.audit.trail import Trail
from procession.errors import UsageError


def record_command(folder: AuditFolder, change: Mapping[str, Any], *, org_id: int | None, now: float) -> None:
    """On disk before it is changed. Where there is no trail yet, or none is wanted, nothing is recorded.

    Raises UsageError where it cannot be: then nothing may be changed either.
    """
    if not folder.head_file.exists():
        return
    record = {"at": round(now, 3), "kind": "command", "who": {"key": STORE_OWNER.key_id, "name": STORE_OWNER.name}}
    org = {} if org_id is None else {"org_id": org_id}
    try:
        trail = Trail(folder, retention_days=None, now=now)
        try:
            trail.append([record | org | {"changes": scrubbed_change([change])}], now=now)
        finally:
            trail.close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"nothing is changed: the audit trail in {folder.path} cannot be written: {reason}") from None
