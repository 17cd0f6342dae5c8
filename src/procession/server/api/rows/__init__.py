"""Questions that a store answers for an org as a whole, for readers who may see some of its rows."""
