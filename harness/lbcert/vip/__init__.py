"""`lbcert probe`: a live VIP with real servers behind it, looked at from outside and without logging in (docs/probe.md)."""
