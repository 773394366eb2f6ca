#!/usr/bin/env python3
"""Captures whose stamps, order, copies or hop counts deceive blame nobody wrongly; prints TAP.

copies   packets that a capture recorded twice, up to 10 ms apart
coarse   stamps of a clock that ticks in whole seconds or by 15.6 ms
late     received packets stamped later than sent ones, all alike, by queues, or each by another time
order    packets written in another order than they were stamped in
ways     hop counts that change from packet to packet
set      a clock that was set while the capture ran; amid the packets of a connection, too, where those have timestamps
Of captures as they are, the same connections have to be judged: a property that leaves everything open would hold nothing.
"""

import argparse
import pathlib
import random
import struct
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'pairs'), str(HERE.parent / 'scenes'), str(HERE)]

import property_packets as packets
from changed_captures import head_of
from desk import BLAMED, SIDES, Desk, Pair, blamed_wrongly
from scene_tcp import ones_complement_sum
from tap import Tap, skip_all

SHARED = HERE.parent.parent.parent / 'shared' / 'captures' / 'labelled'
FOLDERS = (
  'benign-client-rst-close/1', 'capture-windows-differ/1', 'client-abort/1', 'nat-drop/1', 'nat-drop/3', 'no-pooling/3',
  'server-backlog-overflow/1', 'server-crash-mid-login/1', 'server-firewall-drop/1', 'server-not-listening/1',
  'network-drop-syn/1', 'network-loss/1',
)
STAMPED = ('server-backlog-overflow/2', 'duplicate-packets/2', 'login-failed/2', 'tls-cert-rejected/2', 'normal/2')
JUDGED = ('client-abort/1', 'nat-drop/1', 'server-not-listening/1')
MS, SECOND = 10**6, 10**9


def copies(after_ns, share):
  def change(capture, rng, side, clients):
    again = [replace(r, time_ns=r.time_ns + after_ns) for r in capture.records if rng.random() < share]
    return replace(capture, records=sorted(capture.records + again, key=lambda r: r.time_ns))
  return change


def coarse(tick_ns):
  return lambda capture, rng, side, clients: replace(
      capture, records=[replace(r, time_ns=r.time_ns // tick_ns * tick_ns) for r in capture.records])


def late(by_ns):
  """by_ns: of the head of a received packet, and a source of chance."""
  def received_late(record, capture, rng, side, clients):
    head = head_of(record, capture.interfaces[record.interface])
    received = head and (head.source in clients) != (side == 'client')
    return replace(record, time_ns=record.time_ns + by_ns(head, rng)) if received else record

  def change(capture, rng, side, clients):
    records = [received_late(r, capture, rng, side, clients) for r in capture.records]
    return replace(capture, records=sorted(records, key=lambda r: r.time_ns))
  return change


def by_queue(head, rng):
  return (head.source[1] + head.destination[1]) % 4 * 5 * MS


def unsorted(within_ns):
  return lambda capture, rng, side, clients: packets.unsorted(capture, within_ns, seed=rng.random())


def hops_on(record, link_type, hops):
  at = packets.link_header_bytes(link_type, record.frame) or 0
  frame = bytearray(record.frame)
  if len(frame) < at + 20 or frame[at] >> 4 != 4:
    return record
  frame[at + 8] = max(frame[at + 8] - hops, 1)
  struct.pack_into('!H', frame, at + 10, 0)
  struct.pack_into('!H', frame, at + 10, ~ones_complement_sum(bytes(frame[at : at + (frame[at] & 15) * 4])) & 0xFFFF)
  return replace(record, frame=bytes(frame))


def ways(capture, rng, side, clients):
  return replace(capture, records=[hops_on(r, capture.interfaces[r.interface], rng.randrange(3)) for r in capture.records])


def set_forward(by_ns):
  def change(capture, rng, side, clients):
    half = len(capture.records) // 2
    return replace(capture, records=[replace(r, time_ns=r.time_ns + by_ns * (i >= half)) for i, r in enumerate(capture.records)])
  return change


def set_amid(by_ns):
  """Between two packets that follow each other at once, as in a login."""
  def change(capture, rng, side, clients):
    records = capture.records
    at = rng.choice([i for i in range(1, len(records)) if records[i].time_ns - records[i - 1].time_ns < 50 * MS])
    return replace(capture, records=records[:at] + [replace(r, time_ns=r.time_ns + by_ns) for r in records[at:]])
  return change


CHANGES = {
  'as they are': lambda capture, rng, side, clients: capture,
  'some copied after 10 ms': copies(10 * MS, 0.3),
  'half of them copied after 50 us': copies(50_000, 0.5),
  'stamps in whole seconds': coarse(SECOND),
  'stamps in ticks of 15.625 ms': coarse(15_625_000),
  'received packets stamped 2 ms late': late(lambda head, rng: 2 * MS),
  'received packets stamped 15 ms late': late(lambda head, rng: 15 * MS),
  'received packets stamped late by queues': late(by_queue),
  'received packets stamped up to 15 ms late': late(lambda head, rng: rng.randrange(15 * MS)),
  'written up to 20 ms late': unsorted(20 * MS),
  'written up to 300 ms late': unsorted(300 * MS),
  'ways that change from packet to packet': ways,
  'clock set back by 5 s': set_forward(-5 * SECOND),
  'clock set forward by 5 s': set_forward(5 * SECOND),
  'clock set forward by 1 h': set_forward(3600 * SECOND),
}
AMID = {f'clock set forward by 5 s amid packets, place {number}': set_amid(5 * SECOND) for number in range(1, 7)}
VIEWS = (SIDES, ('client',), ('server',))


def clients_of(pair, side):
  return {(l[side]['client']['address'], l[side]['client']['port']) for l in pair.truth['connections'] if side in l['seen_in']}


def blames_somebody(report):
  return report and any(c['culprit'] in BLAMED for c in report['conversations'])


def try_change(desk, pair, label, change):
  complaints = []
  rng = random.Random(f'{pair.name} {label}')
  changed = {side: change(pair.captures[side], rng, side, clients_of(pair, side)) for side in SIDES}
  for view in VIEWS:
    if label.startswith('clock set') and len(view) > 1:
      continue  # the other capture tells by how much: tests/pairs
    report = desk.ask(*((side, changed[side]) for side in view))
    complaints += [f'{"and ".join(view)}: {wrong}' for wrong in blamed_wrongly(pair, report)]
    if label == 'as they are' and len(view) > 1 and pair.name in JUDGED and not blames_somebody(report):
      complaints.append(f'{"and ".join(view)}: nobody is blamed')
    if label == 'stamps in whole seconds' and report and not any('steps of 1 s' in n for n in report['captures'][0]['notes']):
      complaints.append(f'{"and ".join(view)}: no note tells of the steps')
  return complaints


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--tdscope', required=True, help='the program to test')
  arguments = parser.parse_args()
  if not SHARED.is_dir():
    skip_all('no ../shared/captures')
  tap = Tap()
  with tempfile.TemporaryDirectory(prefix='tdscope-stamps-') as name:
    desk = Desk(pathlib.Path(arguments.tdscope).resolve(), pathlib.Path(name))
    pairs = [Pair(folder, SHARED / folder) for folder in FOLDERS]
    stamped = [Pair(folder, SHARED / folder) for folder in STAMPED]
    for label, change in (CHANGES | AMID).items():
      tried = stamped if label in AMID else pairs
      tap.case(label, [f'{pair.name}: {wrong}' for pair in tried for wrong in try_change(desk, pair, label, change)][:8])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
