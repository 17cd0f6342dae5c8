"""The live table: what every host runs now and ran in the last hour, in memory, as columns."""
