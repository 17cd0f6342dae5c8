"""Texts from outside -> values: text that can be stored, tags in one form, whole numbers."""
