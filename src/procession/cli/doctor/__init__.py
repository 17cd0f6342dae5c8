"""What is wrong with a server or an agent of this machine, and what to do about it."""
