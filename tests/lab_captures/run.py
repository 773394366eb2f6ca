#!/usr/bin/env python3
"""Asks for the verdict on captures of real TCP stacks (lab/README.md) from both ends and from each alone; prints TAP.

Each folder here is a few connections of one of the lab's runs, made with lab/pick.py; truth.json says what is right of each,
and under `todo` in which mode tdscope is known to be wrong, and why.
"""

import argparse
import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tap import Tap

SIDES = ('client', 'server')
MODES = ('both', *SIDES)


def diagnose(tool, folder, mode):
  command = [str(tool), 'diagnose', '--format', 'json', '--quiet']
  for side in SIDES:
    if mode in ('both', side):
      command += [f'--{side}', str(folder / f'{side}.pcapng')]
  done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
  return json.loads(done.stdout) if done.returncode == 0 else None


def ends_of(connection):
  return tuple((connection[end]['address'], connection[end]['port']) for end in SIDES)


def complaint_of(label, mode, report):
  """What is wrong with the verdict on one labelled connection; None when nothing is."""
  sides = [side for side in label['seen_in'] if mode in ('both', side)]
  if not sides:
    return None
  wanted = {ends_of(label[side]) for side in sides}
  accept = label['accept'] + label['accept_alone'].get(mode, [])
  for found in report['conversations']:
    if ends_of(found) not in wanted:
      continue
    said = [found['culprit'], found['cause']]
    if said[0] in {a[0] for a in accept} and said[1] in {a[1] for a in accept}:
      return None
    return f'{label["id"]}: {label["cause"]} ({label["variant"]}) is called {"/".join(said)} ({found["confidence"]})'
  return f'{label["id"]} is not in the report'


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--tdscope', required=True, help='the program to test')
  tool = pathlib.Path(parser.parse_args().tdscope).resolve()
  tap = Tap()
  for folder in sorted(path.parent for path in HERE.glob('*/truth.json')):
    truth = json.loads((folder / 'truth.json').read_text(encoding='utf-8'))
    for mode in MODES:
      report = diagnose(tool, folder, mode)
      wrong = [complaint_of(label, mode, report) for label in truth['connections']] if report else ['no report']
      tap.case(f'{folder.name}, {mode}', filter(None, wrong), truth.get('todo', {}).get(mode))
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
