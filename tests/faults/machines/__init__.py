"""What fails under test: disks, clocks, networks and hosts of their own, and the servers on them."""
