"""How processes begin and end, and what may be concluded from what was seen of them."""
