#!/usr/bin/env python3
"""Counts single test cases in Meson's logs, shows what failed, and ends with one line: N passed, N failed.

Meson counts programs. Here every line of a program's TAP counts, and a program that fails although each of its lines
passed (a sanitizer's report at exit, a plan that was not kept) counts as one more failure.

  tests/summary.py build-asan/meson-logs/testlog.json build-test/meson-logs/testlog.json
"""
import json
import re
import sys

CASE = re.compile(r'^(?P<not>not )?ok\b[ \t]*\d*[ \t]*(?:- )?(?P<name>[^#\n]*)(?:#[ \t]*(?P<word>SKIP|TODO)\b.*)?$', re.I)
EMPTY_PLAN = re.compile(r'^1\.\.0\b', re.M)
FINE = {'OK', 'SKIP', 'EXPECTEDFAIL'}
OUTPUT_LINES = 120


def cases_of(entry):
  """(name, 'passed' | 'failed' | 'skipped') of every case of one program."""
  output = entry.get('stdout') or ''
  cases = []
  for line in output.splitlines():
    found = CASE.match(line)
    if not found:
      continue
    word = (found['word'] or '').upper()
    if word == 'SKIP' or (word == 'TODO' and found['not']):
      state = 'skipped'
    elif found['not']:
      state = 'failed'
    else:
      state = 'passed'
    cases.append((found['name'].strip(), state))
  result = entry['result']
  if not cases:
    state = 'skipped' if result == 'SKIP' or EMPTY_PLAN.search(output) else 'passed' if result in FINE else 'failed'
    cases.append((entry['name'], state))
  elif result not in FINE and not any(state == 'failed' for _, state in cases):
    cases.append((f'{entry["name"]} as a whole: {result}, exit status {entry.get("returncode")}', 'failed'))
  return cases


def show_failure(entry, names):
  print(f'FAILED {entry["name"]}')
  for name in names:
    print(f'  {name}')
  lines = [line for line in (entry.get('stdout') or '').splitlines() if not re.match(r'ok\b', line)]
  lines += (entry.get('stderr') or '').splitlines()
  for line in lines[-OUTPUT_LINES:]:
    print(f'  | {line}')
  print()


def main(logs):
  count = {'passed': 0, 'failed': 0, 'skipped': 0}
  for log in logs:
    try:
      with open(log, encoding='utf-8', errors='replace') as file:
        entries = [json.loads(line) for line in file if line.strip()]
    except OSError as error:
      print(f'FAILED no test ran: {error}')
      count['failed'] += 1
      continue
    for entry in entries:
      cases = cases_of(entry)
      for _, state in cases:
        count[state] += 1
      failed = [name for name, state in cases if state == 'failed']
      if failed:
        show_failure(entry, failed)
  skipped = f', {count["skipped"]} skipped' if count['skipped'] else ''
  print(f'{count["passed"]} passed, {count["failed"]} failed{skipped}')
  return 1 if count['failed'] or not count['passed'] else 0


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
