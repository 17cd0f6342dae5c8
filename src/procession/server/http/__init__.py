"""HTTP itself: connections, TLS, headers, bodies."""
