"""What the kernel tells of ends of processes, besides their moment and their code."""
