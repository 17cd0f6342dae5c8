"""What processes send and receive over TCP, as the kernel's sockets tell."""
