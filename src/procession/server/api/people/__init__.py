"""Who is signed in, for those who are."""
