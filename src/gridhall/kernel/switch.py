"""The one switch: are kernels compiled in this process?"""

import os

COMPILED = os.environ.get("GRIDHALL_COMPILE", "1") != "0"
"""Set GRIDHALL_COMPILE=0 before the first import to run kernels as plain Python."""
