"""When nothing is sent: downtimes, once or again and again."""
