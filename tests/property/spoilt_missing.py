#!/usr/bin/env python3
"""Captures that miss packets accuse nobody whom the truth does not name, over a few of ../shared/captures; prints TAP.

lacks-connections  one capture lacks whole connections: one card of a team
lacks-resets       the client's capture misses its own resets
lacks-own-resets   the server's capture misses its own resets
lacks-fins         the server's capture misses every FIN
lacks-answers      the server's capture misses every SYN+ACK
lacks-handshakes   the server's capture misses every SYN and SYN+ACK
lacks-first        the client's capture misses the first packet of each connection
lacks-beginnings   each capture misses the first ten packets of each connection
lacks-ends         each capture misses the last three packets of each connection
lacks-last         the client's capture misses the last ten packets of each connection
lacks-last-there   the server's capture does
lacks-bare         the client's capture has no acknowledgement alone
lacks-bare-there   the server's capture has none
lacks-all-bare     neither capture has an acknowledgement alone
lacks-all-resets   neither capture has a reset
holes              each capture has nothing of some seconds, each of others
thinned            each capture misses one packet in ten
thinned-much       each capture misses three of ten packets
lacks-both         each capture misses a packet with data that came, and the next two that its machine sent
thinned-sent       each capture misses three of ten packets that its machine sent
thinned-came       the server's capture misses three of ten packets that came
set-forward        the client's clock is set forward by an hour
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'pairs'), str(HERE.parent / 'scenes'), str(HERE.parent)]

import property_packets as packets
from changed_captures import head_of, without_time
from scene_pcapng import read_capture
from scene_tool import diagnose
from tap import Tap, skip_all

LABELLED = HERE.parent.parent.parent / 'shared' / 'captures' / 'labelled'
FOLDERS = ('server-backlog-overflow/1', 'server-firewall-drop/1', 'benign-client-rst-close/1', 'client-abort/1',
           'server-not-listening/3', 'tls-cert-rejected/1', 'server-filter-driver/1', 'login-failed/1', 'normal/1',
           'nat-drop/1', 'network-delay/1', 'server-crash-mid-login/1', 'client-filter-driver/1',
           'server-closes-many-at-once/3', 'client-timeout-before-prelogin/1', 'client-abort/2', 'client-slow-reader/2',
           'server-backlog-overflow/2', 'network-device-reset/2', 'network-drop-one-direction-c2s/2')
SIDES = ('client', 'server')
SECOND = 10**9
FIN, SYN, RST, ACK = 1, 2, 4, 16


def heads(capture):
  return [head_of(record, capture.interfaces[record.interface]) for record in capture.records]


def kept(capture, is_kept):
  pairs = zip(capture.records, heads(capture))
  return replace(capture, records=[record for record, head in pairs if not head or is_kept(head)])


def lacks_connections(capture, side, rng, clients):
  gone = {}
  if side != 'server':
    return capture
  return kept(capture, lambda h: not gone.setdefault(frozenset((h.source, h.destination)), rng.random() < .4))


def lacks_resets(capture, side, rng, clients):
  return kept(capture, lambda h: not h.flags & RST) if side == 'client' else capture


def lacks_own_resets(capture, side, rng, clients):
  return kept(capture, lambda h: not h.flags & RST or h.source in clients) if side == 'server' else capture


def lacks_fins(capture, side, rng, clients):
  return kept(capture, lambda h: not h.flags & FIN) if side == 'server' else capture


def lacks_last_of(count, at):
  def change(capture, side, rng, clients):
    left = collections.Counter(frozenset((h.source, h.destination)) for h in heads(capture) if h)

    def is_earlier(head):
      ends = frozenset((head.source, head.destination))
      left[ends] -= 1
      return left[ends] >= count
    return kept(capture, is_earlier) if side in at else capture
  return change


def lacks_answers(capture, side, rng, clients):
  return kept(capture, lambda h: h.flags & (SYN | ACK) != SYN | ACK) if side == 'server' else capture


def lacks_handshakes(capture, side, rng, clients):
  return kept(capture, lambda h: not h.flags & SYN) if side == 'server' else capture


def lacks_first(capture, side, rng, clients):
  seen = set()
  if side == 'server':
    return capture
  return kept(capture, lambda h: frozenset((h.source, h.destination)) in seen or seen.add(frozenset((h.source, h.destination))))


def lacks_beginnings(capture, side, rng, clients):
  seen = collections.Counter()

  def is_later(head):
    ends = frozenset((head.source, head.destination))
    seen[ends] += 1
    return seen[ends] > 10
  return kept(capture, is_later)


def lacks_bare_at(*at):
  return lambda capture, side, rng, clients: kept(
      capture, lambda h: h.payload or h.flags & (SYN | FIN | RST)) if side in at else capture


def holes(capture, side, rng, clients):
  times = [record.time_ns for record in capture.records]
  length = int(rng.uniform(3, 12) * SECOND)
  begin = int(min(times) + (max(times) - min(times) - length) * rng.random())
  return without_time(capture, begin, begin + length)


def thinned(capture, side, rng, clients):
  return kept(capture, lambda h: rng.random() >= .1)


def thinned_much(capture, side, rng, clients):
  return kept(capture, lambda h: rng.random() >= .3)


def thinned_sent(capture, side, rng, clients):
  return kept(capture, lambda h: (h.source in clients) != (side == 'client') or rng.random() >= .3)


def thinned_came(capture, side, rng, clients):
  return kept(capture, lambda h: side == 'client' or h.source not in clients or rng.random() >= .3)


def set_forward(capture, side, rng, clients):
  at = rng.randrange(len(capture.records))
  if side == 'server':
    return capture
  later = [replace(record, time_ns=record.time_ns + 3600 * SECOND) for record in capture.records[at:]]
  return replace(capture, records=capture.records[:at] + later)


def lacks_both(capture, side, rng, clients):
  """What was missed is not acknowledged in what is left, as if it had been lost."""
  came, left = {}, {}

  def is_kept(head):
    ends = frozenset((head.source, head.destination))
    if (head.source in clients) == (side == 'client'):
      left[ends] = left.get(ends, 0) - 1
      return left[ends] < 0
    came[ends] = came.get(ends, 0) + head.payload
    if not head.payload or came[ends] != 3:
      return True
    left[ends] = 2
    return False

  return kept(capture, is_kept)


WAYS = {
  'lacks-connections': lacks_connections,
  'lacks-resets': lacks_resets,
  'lacks-own-resets': lacks_own_resets,
  'lacks-fins': lacks_fins,
  'lacks-answers': lacks_answers,
  'lacks-handshakes': lacks_handshakes,
  'lacks-first': lacks_first,
  'lacks-beginnings': lacks_beginnings,
  'lacks-ends': lacks_last_of(3, SIDES),
  'lacks-last': lacks_last_of(10, ('client',)),
  'lacks-last-there': lacks_last_of(10, ('server',)),
  'lacks-bare': lacks_bare_at('client'),
  'lacks-bare-there': lacks_bare_at('server'),
  'lacks-all-bare': lacks_bare_at(*SIDES),
  'lacks-all-resets': lambda capture, side, rng, clients: kept(capture, lambda h: not h.flags & RST),
  'holes': holes,
  'thinned': thinned,
  'thinned-much': thinned_much,
  'lacks-both': lacks_both,
  'thinned-sent': thinned_sent,
  'thinned-came': thinned_came,
  'set-forward': set_forward,
}


def ends_of(view):
  return tuple((view[end]['address'], int(view[end]['port'])) for end in SIDES)


def accepted(connection, sides):
  names = {connection['culprit']} | {name for name, *_ in connection['accept']}
  for side, accept in connection.get('accept_alone', {}).items():
    if len(sides) == 2 or side in sides:
      names |= {name for name, *_ in accept}
  return names


def accused(report, truth, sides):
  """Whom the report blames and the truth does not; and how many connections were judged."""
  said = {}
  for conversation in report['conversations']:
    views = [conversation] + [conversation[key] for key in ('seen_by_server', 'seen_by_client') if key in conversation]
    for ends in {ends_of(view) for view in views}:
      said.setdefault(ends, []).append(conversation)
  wrong, judged = [], 0
  for connection in truth['connections']:
    if 'nth' in connection:
      continue
    for side in set(connection['seen_in']) & set(sides):
      for conversation in said.get(ends_of(connection[side]), ()):
        judged += 1
        if conversation['culprit'] in ('client', 'server', 'network') and \
            conversation['culprit'] not in accepted(connection, sides):
          wrong.append(f'{connection["id"]}: {connection["cause"]}, said {conversation["cause"]} '
                       f'({conversation["confidence"]})')
  return wrong, judged


def try_way(tool, folder, way, directory):
  truth = json.loads((LABELLED / folder / 'truth.json').read_text())
  captures = {}
  for side in SIDES:
    clients = {ends_of(c[side])[0] for c in truth['connections'] if side in c['seen_in']}
    capture = read_capture(LABELLED / folder / f'{side}.pcapng')
    captures[side] = WAYS[way](capture, side, random.Random(f'{folder}{way}{side}'), clients)
    packets.write_capture(directory / f'{side}.pcapng', captures[side])
  wrong, judged = [], 0
  for sides in (SIDES, ('client',), ('server',)):
    words = [word for side in sides for word in (f'--{side}', str(directory / f'{side}.pcapng'))]
    run, report = diagnose(tool, words)
    if report is None:
      wrong.append(f'{"+".join(sides)}: status {run.status}')
      continue
    found, count = accused(report, truth, sides)
    wrong += [f'{"+".join(sides)} {line}' for line in found]
    judged += count
  return wrong, judged


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--tdscope', default='build/tdscope')
  arguments = parser.parse_args()
  if not LABELLED.is_dir():
    skip_all('captures of ../shared are not there')
  tool, tap = pathlib.Path(arguments.tdscope).resolve(), Tap()
  with tempfile.TemporaryDirectory() as directory:
    for way in WAYS:
      for folder in FOLDERS:
        wrong, judged = try_way(tool, folder, way, pathlib.Path(directory))
        tap.case(f'{way}: {folder}', wrong if judged else ['no connection was judged'])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
