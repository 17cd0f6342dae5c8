"""What each channel is sent."""
