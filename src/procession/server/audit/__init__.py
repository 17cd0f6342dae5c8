"""What the server notes of each request for the audit trail."""
