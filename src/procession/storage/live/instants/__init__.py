"""Questions about many processes at once, of now."""
