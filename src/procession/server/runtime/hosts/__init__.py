"""What agents say of their hosts."""
