"""Sends notifications: out of the outbox, over the network."""
