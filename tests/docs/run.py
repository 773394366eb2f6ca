#!/usr/bin/env python3
"""Compares docs/causes/ with what the program says (`./dev docs` writes it anew), and sees that what docs/article-rules.md names is
there; prints TAP."""

import argparse
import importlib.util
import pathlib
import re
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


RULES = ROOT / 'docs' / 'article-rules.md'
PLACES = ('', 'tests/scenes/{}.scene', 'tests/lab_captures/{}/truth.json')


def is_there(name):
  """A file or folder of the project, a scene, or a folder of lab captures."""
  return any((ROOT / (place.format(name) if place else name)).exists() for place in PLACES)


def rules_without_places():
  """Each rule of the table once, in order; what it names exists; and a rule says where it lives."""
  text = RULES.read_text(encoding='utf-8')
  rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line.startswith('| ')]
  rules = [row for row in rows if row[1] not in ('rule', 'pattern') and not row[0].startswith('-')]
  wrong = [f'{name} is not there' for row in rules for name in re.findall(r'`([^`]+)`', ' '.join(row[2:]))
           if not name.startswith('--') and not is_there(name)]
  wrong += [f'{row[0] or row[1]}: neither a file nor "not yet"' for row in rules
            if not re.search(r'src/|not yet|same', row[2])]
  wrong += [f'{row[0] or row[1]}: no scene' for row in rules if 'scene' not in row[2] and not row[3] and
            not re.search(r'[Nn]ot yet|not read', row[2])]
  named = [row[0] for row in rules if row[0]]
  expected = [f'R{n}' for n in range(1, 21)] + [f'A{n}' for n in range(1, 25)]
  return wrong + ([] if named == expected else [f'the rules are {named}'])


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
  tap.case('docs/article-rules.md', rules_without_places())
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
