"""Texts that strangers wrote -> values: characters that can be stored, tags in one form, whole numbers."""
