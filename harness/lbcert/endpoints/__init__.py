"""Mock servers of the lab: wire + sockets. Each runs as a process of its own inside its host's namespaces."""
