"""What the intake asks the live table all the time. None where it does not know, but history may."""
