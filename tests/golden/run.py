#!/usr/bin/env python3
"""Compares what tdscope prints with the golden files beside this one; prints TAP. bless.py accepts changes."""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True

from golden_cases import CASES, HERE, difference, output_of
from tap import Tap


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--tdscope', required=True, help='the program to test')
  arguments = parser.parse_args()
  tool = pathlib.Path(arguments.tdscope).resolve()
  tap = Tap()
  for case in CASES:
    path = HERE / case.file
    found, complaint = output_of(tool, case)
    golden = path.read_text(encoding='utf-8') if path.exists() else ''
    wrong = [complaint] if complaint else []
    if not wrong and golden != found:
      wrong = [difference(case, golden, found), 'If this is right: tests/golden/bless.py --tdscope PROGRAM']
    tap.case(case.file, wrong)
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
