"""The captures that others made, beside the project: tests use them when they are there and pass without them."""
import os
import pathlib

FOLDER = (pathlib.Path(__file__).resolve().parents[2] / '../shared/captures/real').resolve()


def all_captures():
  """Every capture's path below FOLDER, in order; empty when there are none."""
  found = []
  for folder, _, names in os.walk(FOLDER):
    for name in names:
      if not name.endswith('.tsv'):
        found.append(os.path.relpath(os.path.join(folder, name), FOLDER))
  return sorted(found)
