"""The stretch of time that a query looks at."""

from __future__ import annotations

from dataclasses import dataclass

from procession.errors import InvalidParameter, InvalidRequest

DEFAULT_WINDOW_SECONDS = 15 * 60


def out_of_retention(retention_hours: int) -> InvalidRequest:
    """For a question about what is kept no longer."""
    return InvalidRequest(f"Only data from the past {retention_hours} hours are available")


@dataclass(frozen=True, slots=True)
class Window:
    """Unix seconds, both ends within."""

    from_at: int
    to_at: int

    @classmethod
    def from_bounds(cls, from_at: int | None, to_at: int | None, *, now: int, retention_hours: int) -> Window:
        """The window that a client asked for, by either bound, both or none.

        A missing bound lies 15 minutes from the other one; `to` in the future is cut to now, `from` to the retention.
        A window all of which is in the future then ends before it begins: no moment is in it, which is no error.
        Raises InvalidParameter if `from` is after `to`, InvalidRequest if all of it is older than the retention.
        """
        if to_at is None:
            to_at = now if from_at is None else from_at + DEFAULT_WINDOW_SECONDS
        if from_at is None:
            from_at = to_at - DEFAULT_WINDOW_SECONDS
        if from_at > to_at:
            raise InvalidParameter("from", "it is after to")
        oldest = now - retention_hours * 3600
        if to_at < oldest:
            raise out_of_retention(retention_hours)
        return cls(max(from_at, oldest), min(to_at, now))
