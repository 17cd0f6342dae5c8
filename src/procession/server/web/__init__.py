"""The page for people, and the documents of the API."""
