"""What containers of this machine use, as their control groups tell."""
