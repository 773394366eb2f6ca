#!/usr/bin/env python3
"""Every capture beside the project is survived by a build with sanitizers, as TAP.

Survived: exit status 0, 3 or 4 by the contract, and not a word of a sanitizer.

  tests/differential/survive.py --tdscope build-asan/tdscope
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True
from captures import FOLDER, all_captures
from tap import Tap, skip_all

TIMEOUT_S = 300
REPORT = re.compile(r'Sanitizer|runtime error:')
SHOWN = 40


def survive(tdscope, paths):
  try:
    done = subprocess.run([tdscope, 'diagnose', '--format', 'json', *map(str, paths)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors='replace', timeout=TIMEOUT_S)
  except subprocess.TimeoutExpired:
    return [f'still running after {TIMEOUT_S} s']
  complaints = []
  if done.returncode not in (0, 3, 4):
    complaints.append(f'exit status {done.returncode}')
  if complaints or REPORT.search(done.stderr):
    complaints += done.stderr.splitlines()[:SHOWN]
  return complaints


def main():
  options = argparse.ArgumentParser(description='Runs a build with sanitizers over every capture.')
  options.add_argument('--tdscope', required=True)
  tdscope = options.parse_args().tdscope
  names = all_captures()
  if not names:
    skip_all(f'no captures in {os.path.relpath(FOLDER)}')
  tap = Tap()
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for name, complaints in zip(names, pool.map(lambda name: survive(tdscope, [FOLDER / name]), names)):
      tap.case(name, complaints)
  folders = sorted({name.split(os.sep)[0] for name in names})
  for folder in folders:
    tap.case(f'{folder} as one', survive(tdscope, [FOLDER / folder]))
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
