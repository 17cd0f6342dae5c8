"""What is sent when a monitor changes state: to whom, what it says, and when nothing is sent."""
