"""Questions about what is in the history in part, and in part waits for its flush. Each gives None where only the
history can answer, with all that waits."""
