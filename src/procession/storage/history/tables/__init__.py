"""The tables: migrations, statements that make them, how large they are."""
