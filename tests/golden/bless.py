#!/usr/bin/env python3
"""Shows how tdscope's output differs from the golden files and, when told so, writes it as the new golden files."""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True

from golden_cases import CASES, HERE, difference, output_of


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--tdscope', required=True, help='the program whose output is to be golden')
  parser.add_argument('--yes', action='store_true', help='write without asking')
  arguments = parser.parse_args()
  tool = pathlib.Path(arguments.tdscope).resolve()
  changed, refused = {}, 0
  for case in CASES:
    found, complaint = output_of(tool, case)
    path = HERE / case.file
    golden = path.read_text(encoding='utf-8') if path.exists() else ''
    if complaint:
      refused += 1
      print(f'{case.file}: not blessed, {complaint}')
    elif golden != found:
      changed[path] = found
      print(difference(case, golden, found))
  if not changed:
    print('nothing to bless')
    return 1 if refused else 0
  if not arguments.yes:
    try:
      answer = input(f'write {len(changed)} golden files? [y/N] ')
    except EOFError:
      answer = ''
    if answer.lower() not in ('y', 'yes'):
      print('nothing written')
      return 1
  for path, text in changed.items():
    path.write_text(text, encoding='utf-8')
    print(f'wrote {path.relative_to(HERE.parent.parent)}')
  return 1 if refused else 0


if __name__ == '__main__':
  sys.exit(main())
