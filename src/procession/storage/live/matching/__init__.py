"""What a search compares or looks for beyond texts and tags of its own, as columns."""
