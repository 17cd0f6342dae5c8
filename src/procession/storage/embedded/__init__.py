"""The store of one server: a write-ahead log acknowledges, a live table answers about now, and the history keeps all.

What agents post is acknowledged once it is in the log, and readers see it from then on: in the live table at once, in
the history after the next flush. What is not flushed yet is joined with the history; the few questions that cannot be
answered so make the store flush. So no answer depends on when the flush was.
"""
