"""Settings of all tests."""

import os

from hypothesis import settings

# a change is taken or not for what it does, not for an example that happened to be drawn
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
