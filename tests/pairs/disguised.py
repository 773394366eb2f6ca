#!/usr/bin/env python3
"""Which connection here is which one there, behind devices that hide it; prints TAP.

Each case makes connections of which it is known who is who, and lets the program find it: never may one be taken for another, and where
there is enough to know them by, at least so large a share must be found. Where packets get lost, each is known to be.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parent / 'property')]

from contract import number_slips
from disguise import Crowd, Device, Window, capture, endpoint_of, gather, losses
from property_packets import write_capture
from tap import Tap

HOUR_NS = 3_600_000_000_000
SIDES = ('client', 'server')


@dataclass
class Case:
  """least: the share of connections with packets in both captures that must be found. told: the report says that some could not be."""

  name: str
  least: float
  crowd: Crowd = field(default_factory=Crowd)
  client: Window = field(default_factory=Window)
  server: Window = field(default_factory=Window)
  device: Device = field(default_factory=Device)
  strangers: Crowd | None = None  # who the server's capture has besides, behind the same device
  told: bool = False
  most: float = 1.0
  compared: float = 0  # the least share of those found whose packets are followed, and all that was lost is known of them


TLS, CLEAR = Crowd(), Crowd(contents='clear')
SHORT = Crowd(ports=5, questions=4, question_ns=80_000_000)  # over before their port is used again
UNMARKED = {'timestamps': False, 'ip_ids': 'none'}
HEADERS = Window(snap=60)
OWN_LENGTHS = Crowd(lengths='random', **UNMARKED)
PROGRAMS = Crowd(lengths='program', **UNMARKED)
CASES = [
  Case('encrypted, without timestamps and IP IDs', 1, Crowd(**UNMARKED)),
  Case('encrypted, IP IDs rewritten', 1, TLS, device=Device(ids=True)),
  Case('encrypted, clocks apart by hours', 1, TLS, server=Window(clock_ns=-5 * HOUR_NS)),
  Case('encrypted, under way', 0.95, TLS, Window(begin=0.5), Window(begin=0.5, clock_ns=3 * HOUR_NS)),
  Case('encrypted, under way, without timestamps and IP IDs', 0.9, Crowd(**UNMARKED), Window(begin=0.5), Window(begin=0.5)),
  Case('encrypted, one capture begins late', 0.9, TLS, server=Window(begin=0.4)),
  Case('encrypted, the captures have little time in common', 0.5, TLS, Window(end=0.6), Window(begin=0.4)),
  Case('encrypted, ports used again', 1, SHORT),
  Case('encrypted, ports used again, nothing but numbers rewritten', 1, SHORT, device=Device(address=False, ports=False)),
  Case('encrypted, only ports and numbers rewritten', 1, TLS, device=Device(address=False)),
  Case('encrypted, captures with holes', 0.95, TLS, Window(missed=0.05), Window(missed=0.05)),
  Case('encrypted, each packet twice', 1, TLS, server=Window(twice=True)),
  Case('encrypted, cut to the headers', 0.9, TLS, Window(snap=64), Window(snap=64)),
  Case('encrypted, of each capture some are missing', 1, TLS, Window(skip=3), Window(skip=3)),
  Case('the same query, timestamps and IP IDs', 0.9, CLEAR),
  Case('the same query, under way', 0.85, CLEAR, Window(begin=0.5), Window(begin=0.5)),
  Case('the same query, IP IDs of a connection', 0.9, Crowd(contents='clear', timestamps=False)),
  Case('the same query, IP IDs of a machine', 0.9, Crowd(contents='clear', timestamps=False, ip_ids='host')),
  Case('the same query, timestamps only', 0.8, Crowd(contents='clear', ip_ids='none', question_ns=4_000_000_000)),
  # No connection is in both.
  Case('the same query at the same time, of each some are missing', 0, Crowd(contents='clear', ip_ids='none', together=True),
      Window(skip=2), Window(skip=2)),
  Case('the same query at the same time, with IP IDs, of each some are missing', 0, Crowd(contents='clear', together=True),
      Window(skip=2), Window(skip=2)),
  Case('the same query, nothing to know them by', 0, Crowd(contents='clear', **UNMARKED), told=True, most=0),
  Case('the same query, 100 strangers run it, too', 0.85, CLEAR,
      strangers=Crowd(count=100, contents='clear', client='10.10.0.6', label='strangers')),
  Case('the same query, strangers, nothing to know them by', 0, Crowd(contents='clear', **UNMARKED), told=True, most=0,
      strangers=Crowd(count=100, contents='clear', client='10.10.0.6', label='strangers', **UNMARKED)),
  Case('encrypted, losses', 1, TLS, device=Device(loses=5), compared=1),
  Case('encrypted, losses, under way', 0.95, TLS, Window(begin=0.5), Window(begin=0.5), device=Device(loses=5), compared=0.8),
  Case('encrypted, losses, one capture begins late', 0.9, TLS, server=Window(begin=0.4), device=Device(loses=5), compared=0.6),
  Case('the same query, losses, under way', 0.85, CLEAR, Window(begin=0.5), Window(begin=0.5), device=Device(loses=5)),
  # Whether packets pass or only bytes is not to be seen.
  Case('encrypted, losses, under way, without timestamps and IP IDs', 0.9, Crowd(**UNMARKED), Window(begin=0.5), Window(begin=0.5),
      device=Device(loses=5)),
  Case('encrypted, a relay between, under way', 0.9, TLS, Window(begin=0.5), Window(begin=0.5), device=Device(relay=True)),
  Case('encrypted, a relay between', 1, TLS, device=Device(relay=True)),
  Case('the same query, a relay between', 0, CLEAR, device=Device(relay=True)),
  Case('encrypted, the server ignores some', 0.7, Crowd(ignored=4)),
  Case('encrypted, the server ignores some, without timestamps and IP IDs', 0.7, Crowd(ignored=4, **UNMARKED), told=True),
  Case('the same query, the server ignores some', 0.7, Crowd(contents='clear', timestamps=False, ignored=4)),
  Case('queries of their own, nothing else', 0, Crowd(contents='varied', **UNMARKED)),
  Case('lengths of their own, cut to the headers', 1, OWN_LENGTHS, HEADERS, HEADERS),
  Case('lengths of their own, cut to the headers, under way', 0.7, OWN_LENGTHS, replace(HEADERS, begin=0.5), replace(HEADERS, begin=0.5)),
  Case('lengths of their own, cut to the headers, clocks apart by hours', 1, OWN_LENGTHS, HEADERS, replace(HEADERS, clock_ns=5 * HOUR_NS)),
  Case('lengths of their own, cut to the headers, holes', 0.6, OWN_LENGTHS, replace(HEADERS, missed=0.02), replace(HEADERS, missed=0.02)),
  Case('lengths of their own, cut to the headers, of each some are missing', 1, OWN_LENGTHS, replace(HEADERS, skip=3),
      replace(HEADERS, skip=3)),
  # No connection is in both.
  Case('lengths of their own, cut to the headers, of each all others are missing', 0, OWN_LENGTHS, replace(HEADERS, skip=2),
      replace(HEADERS, skip=2)),
  Case('few lengths, cut to the headers', 0, Crowd(lengths='few', **UNMARKED), HEADERS, HEADERS),
  Case('few lengths at the same time, cut to the headers, of each some are missing', 0,
      Crowd(lengths='few', together=True, **UNMARKED), replace(HEADERS, skip=2), replace(HEADERS, skip=2)),
  Case('the same lengths, cut to the headers', 0, Crowd(**UNMARKED), HEADERS, HEADERS, most=0),
  # Strangers run the same programs, each once.
  Case('programs known by lengths, cut to the headers, and strangers who run them, too', 0, PROGRAMS, replace(HEADERS, skip=2),
      replace(HEADERS, skip=2), strangers=replace(PROGRAMS, client='10.10.0.6', label='strangers')),
  Case('programs known by lengths at the same time, and strangers who run them, too', 0, replace(PROGRAMS, together=True),
      replace(HEADERS, skip=2), replace(HEADERS, skip=2),
      strangers=replace(PROGRAMS, client='10.10.0.6', label='strangers', together=True)),
  Case('the same query, holes, clocks apart', 0.8, CLEAR, Window(missed=0.05), Window(missed=0.03, clock_ns=HOUR_NS)),
]


def strangers_of(case):
  return gather(case.strangers, case.device, seed=2) if case.strangers else []


def has_both(records, member):
  """Whether both captures can have packets of it, by the ends that they know it by."""
  return all(member.ends[side] in records[side] for side in SIDES)


def ends_in(capture_of_side, side):
  """The client's address and port of each connection that has a packet in the capture."""
  out = collections.Counter()
  for record in capture_of_side.records:
    frame = record.frame
    addresses = ['.'.join(map(str, frame[at:at + 4])) for at in (12, 16)]
    ports = [int.from_bytes(frame[at:at + 2], 'big') for at in (20, 22)]
    out[(addresses[0], ports[0]) if ports[1] == 1433 else (addresses[1], ports[1])] += 1
  return out


def ask(tool, folder, captures):
  paths = {}
  for side in SIDES:
    paths[side] = pathlib.Path(folder) / f'{side}.pcapng'
    write_capture(paths[side], captures[side])
  command = [str(tool), 'diagnose', '--format', 'json', '--quiet']
  command += [word for side in SIDES for word in (f'--{side}', str(paths[side]))]
  done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
  return json.loads(done.stdout) if done.returncode in (0, 3) and done.stdout else None


def pairs_of(report):
  """The client's end at the client and at the server, of each connection that both captures are said to have."""
  return [(endpoint_of(c['client']), endpoint_of(c.get('seen_by_server', c)['client']), c)
      for c in report['conversations'] if len(c['seen_in']) > 1]


def wrong_losses(case, members, found):
  """Of those whose packets were followed, what is said to be lost that was not, or the other way round."""
  lost, followed, out = losses(members, (case.client, case.server)), 0, []
  for here, _, connection in found:
    if 'to_server' not in connection.get('compared', {}):
      continue
    followed += 1
    said = [connection['compared'][way]['lost'] for way in ('to_server', 'to_client')]
    if said != [lost[here], 0]:
      out.append(f'{here}: {said[0]} and {said[1]} are said to be lost, {lost[here]} and 0 are')
  if followed < case.compared * len(found) or not sum(lost.values()):
    out.append(f'the packets of {followed} of {len(found)} are followed, {sum(lost.values())} were lost')
  return out


def judge(case, members, captures, report):
  if report is None:
    return ['no report'], 0
  known = {side: ends_in(captures[side], side) for side in SIDES}
  true = {(m.ends['client'], m.ends['server']) for m in members}
  both = sum(has_both(known, m) for m in members)
  found = pairs_of(report)
  out = [f'{here} is not {there}: {c.get("matched_by")} {c.get("match_bits")} {c.get("match_traces")}'
      for here, there, c in found if (here, there) not in true]
  share = (len(found) - len(out)) / both if both else 0
  if not case.least <= share <= case.most:
    out.append(f'{len(found)} of {both} are found ({share:.2f}), not {case.least} to {case.most} of them')
  out += number_slips(report)
  told = any('could not be told apart' in note for c in report['captures'] for note in c['notes'])
  if case.told and not told:
    out.append('the report does not say that some could not be told apart')
  if case.device.loses:
    return out + wrong_losses(case, members, found), share
  accused = [c for c in report['conversations'] if c['culprit'] == 'network']
  out += [f'{endpoint_of(c["client"])}: {c["cause"]} ({c["confidence"]})' for c in accused]
  return out, share


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--tdscope', required=True, help='the program to test')
  parser.add_argument('--only', help='cases whose name holds this')
  parser.add_argument('--keep', help='a folder: captures of the last case stay there')
  arguments = parser.parse_args()
  tap = Tap()
  with tempfile.TemporaryDirectory(prefix='tdscope-disguised-') as name:
    for case in CASES:
      if arguments.only and arguments.only not in case.name:
        continue
      members = gather(case.crowd, case.device)
      windows = {'client': case.client, 'server': case.server}
      captures = {side: capture(members + (strangers_of(case) if side == 'server' else []), side, windows[side], case.device)
          for side in SIDES}
      report = ask(pathlib.Path(arguments.tdscope).resolve(), arguments.keep or name, captures)
      complaints, share = judge(case, members, captures, report)
      tap.case(f'{case.name}: {share:.2f}', complaints[:6])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
