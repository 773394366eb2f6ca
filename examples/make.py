#!/usr/bin/env python3
"""Makes the captures of examples/ from their scenes: examples/make.py."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'tests' / 'scenes'))
sys.dont_write_bytecode = True

from scene import load, write_scene


def main():
  for path in sorted(HERE.glob('*/*.scene')):
    for written in write_scene(load(path), path.parent).values():
      print(f'{written.relative_to(HERE.parent)}: {written.stat().st_size} bytes')


if __name__ == '__main__':
  main()
