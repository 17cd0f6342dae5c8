"""The search language: its tree, its parser, and what it means for one process."""
