"""`lbcert check`: an administrator's own configuration, guesses about it, and which line to change."""
