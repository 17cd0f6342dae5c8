"""What requests share: threads, caches, background tasks, metrics."""
