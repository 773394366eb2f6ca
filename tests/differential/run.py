#!/usr/bin/env python3
"""Compares tdscope with capinfos and tshark over every capture beside the project, as TAP.

packets: `capinfos -c` and the sum of captures[].packets. conversations: `tshark -q -z conv,tcp`, which lists one row
per tcp.stream (so a reused port gives several), and the TCP rows of `tdscope conversations`: both ends, either way
round, and the number of packets. A file that capinfos cannot read must be read, or refused with a reason.

Differences that are known, with the reason, are listed in known.tsv; one that is listed and no longer occurs is an
error. --differences prints what would have to be listed.

  tests/differential/run.py --tdscope build/tdscope
"""
import collections
import concurrent.futures
import ipaddress
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True
from captures import FOLDER, all_captures
from tap import Tap
from wireshark import Wireshark, read_options, run, skip_unless_comparable

KNOWN = HERE / 'known.tsv'
NOT_TCP = {'udp', 'ssrp', 'dns'}
SHOWN = 8
CONVERSATION = re.compile(r'^(\S+):(\d+)\s+<->\s+(\S+):(\d+)\s+(\d+) -?\d+ \S+\s+(\d+) -?\d+ \S+\s+(\d+) -?\d+ ')

Peer = collections.namedtuple('Peer', 'readable packets conversations')
Outcome = collections.namedtuple('Outcome', 'status report conversations stderr')


def endpoint(address, port):
  return str(ipaddress.ip_address(address)), int(port)


def ask_wireshark(wireshark, path):
  capinfos, tshark = ['capinfos', '-T', '-r', '-c', '-M'], ['tshark', '-n', '-q', '-z', 'conv,tcp', '-r']

  def ask():
    counted, listed = wireshark.run([*capinfos, str(path)]), wireshark.run([*tshark, str(path)])
    return {'capinfos': counted.stdout, 'capinfos_error': counted.stderr, 'tshark': listed.stdout}
  return understand(wireshark.remembered(path, (capinfos, tshark), ask))


def understand(answer):
  count = re.search(r'\t(\d+)\s*$', answer['capinfos'])
  stopped = re.search(r'error occurred after reading (\d+) packets', answer['capinfos_error'])
  if not count and not stopped:
    return Peer(False, 0, None)
  rows = collections.Counter()
  for line in answer['tshark'].splitlines():
    found = CONVERSATION.match(line)
    if found:
      ends = sorted([endpoint(found[1], found[2]), endpoint(found[3], found[4])])
      rows[(*ends, int(found[7]))] += 1
  return Peer(True, int((count or stopped)[1]), rows)


def ask_tdscope(tdscope, path):
  diagnose = run([tdscope, 'diagnose', '--format', 'json', str(path)])
  listing = run([tdscope, 'conversations', '--format', 'json', str(path)])
  report = json.loads(diagnose.stdout) if diagnose.stdout.strip() else {}
  rows = collections.Counter()
  for line in listing.stdout.splitlines():
    row = json.loads(line)
    if row['protocol'] not in NOT_TCP:
      ends = sorted(endpoint(row[side]['address'], row[side]['port']) for side in ('client', 'server'))
      rows[(*ends, row['packets'])] += 1
  return Outcome(diagnose.returncode, report, rows, diagnose.stderr.strip())


def compare_packets(peer, ours):
  packets = sum(capture['packets'] for capture in ours.report.get('captures', []))
  if packets != peer.packets:
    yield f'capinfos {peer.packets}, tdscope {packets} (exit status {ours.status})'
    yield ours.stderr


def compare_conversations(peer, ours):
  for who, rows in (('only tshark', peer.conversations - ours.conversations),
                    ('only tdscope', ours.conversations - peer.conversations)):
    for (one, other, packets), times in sorted(rows.items())[:SHOWN]:
      yield f'{who}: {one[0]} {one[1]} <-> {other[0]} {other[1]}, {packets} packets' + (f', {times} times' * (times > 1))
    if len(rows) > SHOWN:
      yield f'{who}: {len(rows) - SHOWN} more'


def refusal(ours):
  if ours.status not in (0, 3, 4):
    yield f'exit status {ours.status}'
  if ours.status and not ours.stderr:
    yield 'no word about why it cannot be read'


def examine(wireshark, tdscope, name):
  """[(what, complaints)] of one capture."""
  path = FOLDER / name
  try:
    peer = ask_wireshark(wireshark, path)
    ours = ask_tdscope(tdscope, path)
  except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError) as error:
    return [('run', [f'{type(error).__name__}: {error}'])]
  if not peer.readable:
    return [('refusal', list(refusal(ours)))]
  return [('packets', list(compare_packets(peer, ours))), ('conversations', list(compare_conversations(peer, ours)))]


def read_known():
  """{(file, what): reason}"""
  known = {}
  for line in KNOWN.read_text(encoding='utf-8').splitlines():
    if line and not line.startswith('#'):
      name, what, reason = line.split('\t')
      known[name, what] = reason
  return known


def main():
  options = read_options('packets and conversations', KNOWN.name)
  names = options.captures or all_captures()
  skip_unless_comparable(names, 'tshark', 'capinfos')
  known = read_known()
  wireshark = Wireshark(options.cache)
  tap = Tap()
  seen = set()
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    outcomes = pool.map(lambda name: examine(wireshark, options.tdscope, name), names)
    for name, outcome in zip(names, outcomes):
      for what, complaints in outcome:
        seen.add((name, what))
        reason = known.get((name, what))
        if options.differences:
          if complaints:
            print(name, what, reason or '; '.join(complaint for complaint in complaints if complaint), sep='\t')
        elif reason and not complaints:
          tap.case(f'{name}: {what}', [f'known.tsv lists a difference that no longer occurs: {reason}'])
        else:
          tap.case(f'{name}: {what}', complaints, todo=reason)
  if options.differences:
    return 0
  if not options.captures:
    tap.case('known.tsv names only what is there', [' '.join(line) for line in known if line not in seen])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
