"""Pytest's side of a run: its directory and labs, in which order and in which slots tests stand, what comes of them."""
