"""Questions about many processes: at an instant, over time, compared."""
