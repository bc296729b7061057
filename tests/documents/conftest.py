"""The builders of sample files are a module beside these tests."""

import sys
from pathlib import Path

# Test modules are imported by their path alone, so a neighbour has to be put within reach.
sys.path.insert(0, str(Path(__file__).parent))
