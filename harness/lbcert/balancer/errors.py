"""The one error that a wrong configuration raises."""


class ConfigError(ValueError):
    """A configuration cannot be used: one sentence with file, line, field and the remedy."""
