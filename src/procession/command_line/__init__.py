"""What a command line says: its arguments, and the short name of its program."""
