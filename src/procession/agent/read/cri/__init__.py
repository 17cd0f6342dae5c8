"""containerd and CRI-O, asked by the CRI: the gRPC calls that list containers and pods, over a Unix socket."""
