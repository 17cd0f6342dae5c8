"""Pages of processes out of the tables."""
