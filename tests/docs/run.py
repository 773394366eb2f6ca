#!/usr/bin/env python3
"""Compares docs/causes/ with what the program says; prints TAP. `./dev docs` writes it anew."""

import argparse
import importlib.util
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests'))
sys.dont_write_bytecode = True

from tap import Tap


def generator():
  spec = importlib.util.spec_from_file_location('docs_make', ROOT / 'docs' / 'make.py')
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--tdscope', required=True, help='the program whose words are to be found')
  tool = pathlib.Path(parser.parse_args().tdscope).resolve()
  make = generator()
  expected = make.documents(tool)
  found = {path.name: path.read_text(encoding='utf-8') for path in make.CAUSES.glob('*')}
  tap = Tap()
  for name in sorted(expected.keys() | found.keys()):
    wrong = 'is not there' if name not in found else 'is of no cause' if name not in expected else \
        'is not what the program says' if found[name] != expected[name] else ''
    tap.case(f'docs/causes/{name}', [f'{name} {wrong}: run ./dev docs'] if wrong else [])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
