"""What shows that verdicts can be trusted: mutants that each check finds, and runs again and again that say the same."""
