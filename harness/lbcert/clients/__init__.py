"""Clients of the lab: wire + sockets. They live in pytest's process, on sockets that the lab's broker opened."""
