"""Whether nginx can be tried on this machine."""

from pathlib import Path

import pytest

from lbcert.drivers.nginx import DEFAULT

STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
needs_nginx = pytest.mark.skipif(not (DEFAULT.exists() and STREAM.exists()),
                                 reason="nginx or its stream module is not installed (libnginx-mod-stream)")  # fmt: skip
