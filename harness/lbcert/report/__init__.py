"""Reports: the model behind report.json, the HTML page, and the comparison with known results.

Nothing but the exception is imported here: the catalogue uses this package's file reader,
and the model uses the catalogue.
"""

from lbcert.report.errors import ReportError

__all__ = ["ReportError"]
