"""Exploration: random sequences of what users, servers and the administrator do, against the model that the DUT declares.

`model` says where each user belongs, `explorer` holds the steps, `machine` lets Hypothesis draw them, `search` and
`shrink` come to the shortest sequence that violates the model, `printing` and `verdict` tell of it.
"""

from .explorer import Explorer
from .verdict import Labs, explore_model

__all__ = ["Explorer", "Labs", "explore_model"]
