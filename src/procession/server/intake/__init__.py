"""What agents post."""
