"""Every error that a client or a user may see.

    ProcessionError
    ├── RequestError                an HTTP request that cannot be answered; carries the status
    │   ├── InvalidRequest      400 one text for each thing that is wrong
    │   │   └── InvalidParameter    a query parameter, named, with the rule it breaks
    │   ├── Forbidden           403 no key, a wrong key, or a key of the wrong kind
    │   ├── NotFound            404
    │   ├── MethodNotAllowed    405
    │   ├── PayloadTooLarge     413
    │   ├── TooManyRequests     429 more of one org, or of one address, than its share
    │   └── Unavailable         503 the store cannot answer or keep anything now; try again
    └── UsageError                  what a person at a terminal did or has to mend; one line, no traceback

`server/http/errors.py` turns a RequestError into a response, `cli/` a UsageError into one line and exit code 1.
What is not in this tree is a bug.
"""

from __future__ import annotations


class ProcessionError(Exception):
    """The root; never raised itself."""


class RequestError(ProcessionError):
    """A request that gets an error instead of an answer; `messages` fill the `errors` list of the body."""

    status = 500

    def __init__(self, *messages: str, retry_after_seconds: int | None = None) -> None:
        """`retry_after_seconds`: when it may go better, where that can be said."""
        super().__init__("; ".join(messages))
        self.messages = messages
        self.retry_after_seconds = retry_after_seconds


class InvalidRequest(RequestError):
    status = 400


class InvalidParameter(InvalidRequest):
    """`InvalidParameter("page[limit]", "it is not a whole number from 1 to 10000")`."""

    def __init__(self, name: str, rule: str, hint: str = "") -> None:
        """`hint`: what may help, said where errors are ours alone to word."""
        super().__init__(f"Invalid query parameter {name}: {rule}")
        self.name = name
        self.rule = rule
        self.hint = hint

    def with_hint(self) -> str:
        return f"{self}; {self.hint}" if self.hint else str(self)


class Forbidden(RequestError):
    status = 403

    def __init__(self, message: str = "Forbidden") -> None:
        super().__init__(message)


class NotFound(RequestError):
    status = 404

    def __init__(self, message: str = "Not found") -> None:
        super().__init__(message)


class MethodNotAllowed(RequestError):
    status = 405

    def __init__(self, allowed: tuple[str, ...], message: str = "Method not allowed") -> None:
        super().__init__(message)
        self.allowed = allowed


class PayloadTooLarge(RequestError):
    status = 413


class TooManyRequests(RequestError):
    status = 429

    def __init__(self, message: str = "Too many requests", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)


class Unavailable(RequestError):
    status = 503


class UsageError(ProcessionError):
    """One line that names the thing, what is wrong with it, and what to do."""
