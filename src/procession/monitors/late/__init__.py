"""What comes late out of a spool: which minutes it is about, and what monitors would have said had it come in time."""
