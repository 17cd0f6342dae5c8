"""What is done to orgs in the background."""
