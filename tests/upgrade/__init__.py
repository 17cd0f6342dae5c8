"""Stores of earlier versions, kept small, and what this one does to them."""
