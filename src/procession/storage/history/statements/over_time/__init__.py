"""What all processes sum up to, and how many began and ended, step by step."""
