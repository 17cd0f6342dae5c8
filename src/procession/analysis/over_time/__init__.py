"""Numbers, starts and ends of many processes, step by step."""
