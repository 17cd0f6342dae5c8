"""What runs beside requests: threads, caches, background tasks, metrics."""
