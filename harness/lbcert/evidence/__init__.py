"""Evidence before verdicts: events, histories, captures, and the pure functions that judge them."""
