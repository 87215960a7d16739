"""Makes `rpc_rig` importable whichever import mode the project's pytest.ini chooses."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
