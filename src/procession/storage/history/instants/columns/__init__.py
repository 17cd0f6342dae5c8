"""The processes at an instant as columns: which snapshots count, what is in them, who of that had ended by then."""
