"""The audit trail: who asked and changed what, in files whose records are chained by hashes.

`entry` is what a server notes of a request; `asked` makes text of it without secrets, `repeats` one record of many
that are the same. `writer` has the one thread that writes, `trail` the files, `recovery` how they go on after a stop,
`chain` the hashes, `folder` the names and the key, `expiry` what becomes of old files. `verification` reads all of it
again, `reading` what somebody looks for, `syslog` sends a copy.
"""

from procession.audit.entry import AuditEntry, Who
from procession.audit.folder import AuditFolder
from procession.audit.writer import AuditWriter

__all__ = ["AuditEntry", "AuditFolder", "AuditWriter", "Who"]
