"""What the agent finds out about processes beyond their files: where they listen, and what they are written in."""
