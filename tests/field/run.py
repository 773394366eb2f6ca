#!/usr/bin/env python3
"""The faults that tdscope finds in captures of ordinary traffic are those that docs/field-check.md lists, each judged by a person; TAP.

Each capture is read as it is, and once for each port with data on it as if that port were a SQL Server's (`--server-port`): so what
judges TCP is tried on HTTP, SMB, LDAP and the like, too.

  tests/field/run.py --tdscope build/tdscope           says what is new and what is gone
  tests/field/run.py --tdscope build/tdscope --list    prints the table anew; what nobody has judged yet has a ? for a judgement
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / 'docs' / 'field-check.md'
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'differential')]
sys.dont_write_bytecode = True
from captures import FOLDER, all_captures
from tap import Tap, skip_all

TIMEOUT_S = 300
AS_IT_IS = '-'
HEAD = '| capture | told | cause | culprit | connections | sure | judgement | why |'


def diagnose(tdscope, name, port):
  """The report; None when nothing could be analysed."""
  hint = [] if port == AS_IT_IS else ['--server-port', str(port)]
  done = subprocess.run([tdscope, 'diagnose', '--quiet', '--format', 'json', *hint, str(FOLDER / name)], stdin=subprocess.DEVNULL,
                        capture_output=True, timeout=TIMEOUT_S, check=False)
  return json.loads(done.stdout) if done.stdout else None


def ports_with_data(report):
  """Those that are not known for a SQL Server's and where more was said than a handshake."""
  return sorted({c['server']['port'] for c in report['conversations'] if c['packets'] > 4 and c['protocol'] == 'tcp'} - {1433})


def faults(report, port):
  """(cause, culprit) -> [connections, confidence in per cent]; with a port only of servers on it."""
  found = collections.defaultdict(lambda: [0, 0])
  for finding in report['findings']:
    at = finding.get('subject', {}).get('server', {}).get('port')
    if finding['severity'] != 'fault' or port not in (AS_IT_IS, at):
      continue
    row = found[finding['cause'], finding['culprit']]
    row[0] += len(finding['conversations'])
    row[1] = max(row[1], round(finding['confidence'] * 100))
  return found


def rows_of(name, port, found):
  return [(name, str(port), *what, str(count), f'{sure} %') for what, (count, sure) in sorted(found.items())]


def check(tdscope, name):
  """Rows without a judgement, and how many conversations the capture has."""
  report = diagnose(tdscope, name, AS_IT_IS)
  if report is None:
    return [], 0
  rows = rows_of(name, AS_IT_IS, faults(report, AS_IT_IS))
  for port in ports_with_data(report):
    untold = faults(report, port)
    told = faults(diagnose(tdscope, name, port), port)
    rows += rows_of(name, port, {what: row for what, row in told.items() if what not in untold})
  return rows, len(report['conversations'])


def listed():
  """Row -> (judgement, why), as the document has them."""
  out = {}
  if not DOCUMENT.exists():
    return out
  lines = DOCUMENT.read_text(encoding='utf-8').splitlines()
  for line in lines[lines.index(HEAD) + 2:]:
    if not line.startswith('| '):
      break
    cells = [cell.strip() for cell in line.strip('|').split('|')]
    out[tuple(cells[:6])] = tuple(cells[6:])
  return out


def main():
  options = argparse.ArgumentParser(description='Compares the faults found in real captures with those that were judged.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--list', action='store_true', help='print the table')
  options.add_argument('--jobs', type=int, default=os.cpu_count())
  given = options.parse_args()
  names = all_captures()
  if not names:
    skip_all('no captures')
  known = listed()
  with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
    checked = list(pool.map(lambda name: check(given.tdscope, name), names))
  rows = [row for found, _ in checked for row in found]
  if given.list:
    print(f'{len(names)} captures, {sum(count for _, count in checked)} conversations, {len(rows)} rows\n\n{HEAD}')
    print('| --- | --- | --- | --- | ---: | ---: | --- | --- |')
    for row in rows:
      print('| ' + ' | '.join(row + known.get(row, ('?', ''))) + ' |')
    return 0
  tap = Tap()
  tap.case('every fault was judged', ['new: ' + ' | '.join(row) for row in rows if row not in known])
  tap.case('what was judged is still found', ['gone: ' + ' | '.join(row) for row in known if row not in rows])
  tap.case('every judgement has a reason', [' | '.join(row) for row, (judgement, why) in known.items()
                                            if judgement not in ('right', 'open', 'wrong') or not why])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
