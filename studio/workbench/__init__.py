"""Heavy work and its caches behind one interface: in this process, in a worker process, on a cluster."""
