"""How the commands print: tables, trees, moments, numbers, full screens."""
