"""The store of one server: a write-ahead log acknowledges, a live table answers about now, and the history keeps all.

What agents post is acknowledged once it is in the log, and readers see it from then on: in the live table at once, in
the history after the next flush. A question that the live table cannot answer waits for that flush, if it concerns what
is not flushed yet; so no answer depends on when the flush was.
"""
