"""Groups of processes: what their codes stand for, their numbers as columns, and their order."""
