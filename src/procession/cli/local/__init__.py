"""What the commands find and keep on this machine."""
