"""What is seen of processes and hosts for monitors, and in which groups."""
