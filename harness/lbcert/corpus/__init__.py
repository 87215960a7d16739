"""First packets of the user's own clients: from a capture, with names replaced, to a file that the suites can send."""
