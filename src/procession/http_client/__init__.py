"""HTTP to a server, for agents and commands."""
