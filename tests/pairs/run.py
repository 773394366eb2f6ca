#!/usr/bin/env python3
"""Properties of captures taken at several places, over the lab's captures and, where they are there, the labelled ones; prints TAP.

swap       the captures given for each other's side: nobody is blamed who is not to blame
unrelated  one more capture, of other connections: the verdicts stay
cut        either capture begins late or ends early: the network is not blamed for what was not captured
advice     to capture at an end is given to nobody whose captures of both ends have the connection, cut short or not
thin       either capture misses one to five packets of a hundred, at random: likewise
middle     a third capture between the two: the verdicts stay, the points stand in order, and losses have a place
shown      those three drawn by `show`: each packet's way is what the comparison counted, and the verdict is the connection's
several    captures of two clients and two servers at once: the verdicts stay
clock set  one capture's clock is set by 0.05 to 5 s while it runs: nobody is blamed who is not to blame
slewed     one capture's clock is slewed for a while: nobody is blamed who is not to blame, and the clocks' difference, which is
           known, lies within what is said of it at all times
time zone  one capture holds local time: the verdicts stay, and the report says so
under way  captures that begin after the handshakes: the connections are still found to be the same
copies     each capture twice, or one for both ends: the verdicts are those without the copy, and it is said
pipe       one capture comes through a pipe: the report is the same
rings      each capture in pieces, of which those of the other machine seem to follow by their times: the verdicts stay
apart      the clocks differ by an hour, and nobody says where the captures were taken: the verdicts stay
"""

import argparse
import copy
import datetime
import ipaddress
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'scenes'), str(HERE.parent / 'property')]

import property_packets as packets
from contract import shown_complaints
from scene_pcapng import read_capture
from tap import Tap

LAB = HERE.parent / 'lab_captures'
SHARED = HERE.parent.parent.parent / 'shared' / 'captures' / 'labelled'
LABELLED = ('network-drop-both-directions/1', 'network-device-reset/2', 'network-loss/1', 'nat-rewrites/1', 'normal/2',
    'server-filter-driver/1', 'client-abort/1', 'network-idle-drop-keepalive/1', 'network-delay/1', 'mars-benign-reset/2')
SIDES = ('client', 'server')
MIDDLE_NS = 20_000
LONG_TIMES, LONG_EVERY_NS = 60, 60 * 10**9
SLEW_RATE = 0.0005  # RFC 5905, appendix A.5.5
KNOWN = {}  # where it is known to be wrong, and why
BLAMED = ('client', 'server', 'network')


class Pair:
  """The captures of both ends, and what is right of each connection."""

  def __init__(self, name, folder):
    self.name = name
    self.truth = json.loads((folder / 'truth.json').read_text(encoding='utf-8'))
    self.captures = {side: read_capture(folder / f'{side}.pcapng') for side in SIDES}

  def span(self):
    times = [record.time_ns for record in self.captures['client'].records]
    return min(times), max(times)


class Desk:
  """Writes captures into a folder and asks the program about them."""

  def __init__(self, tool, folder):
    self.tool, self.folder, self.written = tool, folder, 0

  def write(self, capture):
    self.written += 1
    path = self.folder / f'{self.written}.pcapng'
    packets.write_capture(path, capture)
    return path

  def write_ring(self, capture, folder, name, pieces):
    """As dumpcap writes a ring buffer; pieces end and begin in the middle between two packets."""
    (self.folder / folder).mkdir(exist_ok=True)
    records = capture.records
    for number in range(pieces):
      own = records[len(records) * number // pieces : len(records) * (number + 1) // pieces]
      stamp = datetime.datetime.fromtimestamp(own[0].time_ns // 10**9, datetime.UTC).strftime('%Y%m%d%H%M%S')
      packets.write_capture(self.folder / folder / f'{name}_{number + 1:05}_{stamp}.pcapng', replace(capture, records=own))

  def ask(self, *given):
    """given: (role or None, capture); the report, or None."""
    words = []
    for role, capture in given:
      words += [f'--{role}'] if role else []
      words.append(str(self.write(capture)))
    return self.ask_words(*words)

  def ask_words(self, *words):
    command = [str(self.tool), 'diagnose', '--format', 'json', '--quiet', *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return json.loads(done.stdout) if done.returncode in (0, 3) and done.stdout else None

  def show(self, paths, connection, *options, columns=''):
    """What `show` prints of it; the first two paths are the client's and the server's."""
    command = [str(self.tool), 'show', *options, str(connection), '--client', str(paths[0]), '--server', *map(str, paths[1:])]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, 'COLUMNS': columns}).stdout

  def ask_pair(self, pair, **changed):
    captures = {**pair.captures, **changed}
    return self.ask(*((side, captures[side]) for side in SIDES))


def ends_of(connection):
  return tuple((connection[end]['address'], connection[end]['port']) for end in SIDES)


def by_ends(report):
  return {ends_of(c): c for c in report['conversations']}


def accepted_culprits(label):
  alone = [accept for accepts in label.get('accept_alone', {}).values() for accept in accepts]
  return {label['culprit'], *(culprit for culprit, _ in label.get('accept', []) + alone)}


def blamed_wrongly(pair, report, culprits=BLAMED):
  """Connections of which one is blamed who is not to blame."""
  if report is None:
    return ['no report']
  found, out = by_ends(report), []
  for label in pair.truth['connections']:
    for side in label['seen_in']:
      said = found.get(ends_of(label[side]))
      if said and said['culprit'] in culprits and said['culprit'] not in accepted_culprits(label):
        out.append(f'{label["id"]} ({label["cause"]}): {said["culprit"]}/{said["cause"]} ({said["confidence"]})')
  return sorted(set(out))


def verdicts(report):
  return {ends: (c['culprit'], c['cause']) for ends, c in by_ends(report).items()} if report else {}


def changed_verdicts(before, after):
  if not before or not after:
    return ['no report']
  before, after = verdicts(before), verdicts(after)
  return [f'{ends}: {said} became {after.get(ends)}' for ends, said in before.items() if after.get(ends) != said]


def from_time(capture, time_ns):
  return replace(capture, records=[r for r in capture.records if r.time_ns >= time_ns])


def until_time(capture, time_ns):
  return replace(capture, records=[r for r in capture.records if r.time_ns <= time_ns])


def test_swap(desk, pair, _):
  return blamed_wrongly(pair, desk.ask(('server', pair.captures['client']), ('client', pair.captures['server'])))


def test_unrelated(desk, pair, other):
  before = desk.ask_pair(pair)
  return changed_verdicts(before, desk.ask(*((side, pair.captures[side]) for side in SIDES),
      (None, other.captures['client'])))


def test_cut(desk, pair, _):
  out = []
  for side in SIDES:
    times = [r.time_ns for r in pair.captures[side].records]
    first, last = min(times), max(times)
    for share in (0.3, 0.7):
      border = first + int((last - first) * share)
      for label, cut in (('begins late', from_time), ('ends early', until_time)):
        capture = cut(pair.captures[side], border)
        if capture.records:
          wrong = blamed_wrongly(pair, desk.ask_pair(pair, **{side: capture}), ('network',))
          out += [f'{side} {label} ({share}): {line}' for line in wrong]
  return out


def needless_advice(report):
  """Findings all of whose connections are in both captures, and that ask for a capture of an end."""
  both = {c['id'] for c in report['conversations'] if set(c['seen_in']) == {0, 1}} if report else set()
  for finding in report['findings'] if report else ():
    if not finding['conversations'] or not set(finding['conversations']) <= both:
      continue
    asked = [finding.get('would_settle', ''), *finding['actions']]
    yield from (f'{finding["cause"]}: {words[:60]}' for words in asked if re.match('(A c|C)aptures? (taken )?on (the )?(client|server)', words))


def test_advice(desk, pair, _):
  out = list(needless_advice(desk.ask_pair(pair)))
  for side in SIDES:
    times = [r.time_ns for r in pair.captures[side].records]
    border = min(times) + (max(times) - min(times)) // 2
    for cut in (from_time, until_time):
      capture = cut(pair.captures[side], border)
      if capture.records:
        out += needless_advice(desk.ask_pair(pair, **{side: capture}))
    out += needless_advice(desk.ask_pair(pair, **{side: packets.thin(pair.captures[side], 0.05, seed=1)}))
  return out


def test_thin(desk, pair, _):
  out = []
  for share in (0.01, 0.05):
    for sides in (('client',), ('server',), SIDES):
      thinned = {side: packets.thin(pair.captures[side], share, seed=SIDES.index(side)) for side in sides}
      wrong = blamed_wrongly(pair, desk.ask_pair(pair, **thinned), ('network',))
      out += [f'{share} of {"+".join(sides)}: {line}' for line in wrong]
  return out


@dataclass
class Head:
  """What the tests ask of a TCP packet, cut short or not."""

  source: tuple
  destination: tuple
  flags: int
  payload: bool


def head_of(record, link_type):
  """None for what is no TCP."""
  frame = record.frame
  ip = frame[packets.link_header_bytes(link_type, frame) or 0:]
  if len(ip) < 40:
    return None
  if ip[0] >> 4 == 6:
    protocol, tcp, addresses = ip[6], ip[40:], (ip[8:24], ip[24:40])
    size = 40 + struct.unpack_from('!H', ip, 4)[0]
  else:
    protocol, tcp, addresses = ip[9], ip[(ip[0] & 15) * 4:], (ip[12:16], ip[16:20])
    size = struct.unpack_from('!H', ip, 2)[0]
  if protocol != 6 or len(tcp) < 20:
    return None
  ports = struct.unpack_from('!HH', tcp)
  ends = [(str(ipaddress.ip_address(bytes(address))), port) for address, port in zip(addresses, ports)]
  headers = len(ip) - len(tcp) + (tcp[12] >> 4) * 4
  return Head(ends[0], ends[1], tcp[13], size > headers)


def one_hop_on(record, capture, hops):
  """The frame with its time to live that many routers later; its checksum does not matter, and is left."""
  frame = bytearray(record.frame)
  at = packets.link_header_bytes(capture.interfaces[record.interface], record.frame) or 0
  ttl = at + (7 if frame[at] >> 4 == 6 else 8)
  frame[ttl] = min(frame[ttl] - hops, 255)
  return bytes(frame)


def middle_of(pair, near, clock_ns):
  """What a capture on the way would have next to that end: each packet as it stands there, MIDDLE_NS on its way."""
  clients = {tuple(label[near]['client'].values()) for label in pair.truth['connections'] if near in label['seen_in']}
  capture, records = pair.captures[near], []
  for record in capture.records:
    head = head_of(record, capture.interfaces[record.interface])
    if head:
      outward = (head.source in clients) == (near == 'client')
      records.append(replace(record, frame=one_hop_on(record, capture, 1 if outward else -1),
          time_ns=record.time_ns + clock_ns + (MIDDLE_NS if outward else -MIDDLE_NS)))
  return replace(capture, records=sorted(records, key=lambda r: r.time_ns))


def test_middle(desk, pair, _):
  before, out = desk.ask_pair(pair), []
  for near in SIDES:
    middle = middle_of(pair, near, 3_000_000_000)
    after = desk.ask(*((side, pair.captures[side]) for side in SIDES), (None, middle))
    out += [f'middle near the {near}: {line}' for line in changed_verdicts(before, after)]
    out += [f'middle near the {near}: {line}' for line in wrong_paths(before, after, near)]
  return out


def wrong_paths(before, after, near):
  """What was lost from end to end is lost between the middle and the end that it is far from."""
  if not before or not after:
    return []
  out, reference = [], by_ends(before)
  for ends, c in by_ends(after).items():
    whole = reference.get(ends, {}).get('compared')
    if not whole or 'path' not in c:
      continue
    order = [stretch['from'] for stretch in c['path']] + [c['path'][-1]['to']]
    if order != [0, 2, 1]:
      out.append(f'{ends}: the captures stand in the order {order}')
      continue
    bare = c['path'][0 if near == 'client' else 1]
    full = c['path'][1 if near == 'client' else 0]
    for way in ('to_server', 'to_client'):
      if way in bare and (bare[way]['lost'] or bare[way].get('injected')):
        out.append(f'{ends}: {way}: something happens where nothing can')
      if way in full and full[way]['lost'] != whole[way]['lost']:
        out.append(f'{ends}: {way}: {full[way]["lost"]} lost, from end to end {whole[way]["lost"]}')
  return out


def json_objects(text):
  decoder, at = json.JSONDecoder(), 0
  while at < len(text.rstrip()):
    shown, at = decoder.raw_decode(text, at)
    yield shown
    at += len(text[at:]) - len(text[at:].lstrip())


def fates(shown, way):
  """(fate, from, to) -> how many packets had it that way."""
  out = {}
  for crossing in shown.get('crossings', ()):
    for stretch in crossing['stretches'] if crossing['from'] == way else ():
      key = (stretch['fate'], stretch['from'], stretch['to'])
      out[key] = out.get(key, 0) + 1
  return out


def wrong_crossings(connection, shown):
  """What is drawn of a connection, beside what was counted."""
  own = next((s for s in shown if s['conversation']['id'] == connection['id']), None)
  if own is None or 'crossings' not in own:
    return ['no crossings']
  out = [line for s in shown for line in shown_complaints(s)]
  out += [f'the verdict of {s["conversation"]["id"]} is {s["conversation"]["cause"]}' for s in shown
      if s['conversation']['cause'] != connection['cause']]
  frames = {(p['capture'], p['frame']) for s in shown for p in s['packets']}
  out += [f'{seen} is no packet of it' for crossing in own['crossings'] for seen in crossing['seen']
      if (seen['capture'], seen['frame']) not in frames]
  for way, name in (('client', 'to_server'), ('server', 'to_client')):
    counted = fates(own, way)
    for stretch in connection['path']:
      for fate in ('arrived', 'lost', 'injected'):
        found = counted.get((fate, stretch['from'], stretch['to']), 0)
        wanted = stretch[name].get(fate, 0)
        if found != wanted:
          out.append(f'{name} {stretch["from"]}-{stretch["to"]}: {found} {fate}, {wanted} counted')
  return out


def too_wide(text, columns):
  """Of packets that arrived, the lines of the drawing that do not fit."""
  lines = [line for line in text.splitlines() if re.search(r'\|  \d+ +[\d.]+ (us|ms|s)\b', line)]
  return [line for line in lines if len(line) > columns] if lines else ['nothing is drawn']


def drawn_lost(text):
  """Arrows that end on the way."""
  return sum(line.rstrip().endswith('lost on the way') and 'X' in line for line in text.splitlines())


def test_shown(desk, pair, _):
  out = []
  for near in SIDES:
    captures = [pair.captures['client'], pair.captures['server'], middle_of(pair, near, 3_000_000_000)]
    paths = [desk.write(capture) for capture in captures]
    report = desk.ask(('client', captures[0]), ('server', captures[1]), (None, captures[2]))
    compared = [c for c in report['conversations'] if all('to_server' in s for s in c.get('path', [{}]))] if report else []
    for c in sorted(compared, key=lambda c: c['cause'] == 'none.normal')[:3]:
      shown = list(json_objects(desk.show(paths, c['id'], '--format', 'json')))
      out += [f'middle near the {near}: {c["id"]} ({c["cause"]}): {line}' for line in wrong_crossings(c, shown)]
      lost = sum(crossing['fate'] == 'lost' for s in shown for crossing in s.get('crossings', ()))
      text = desk.show(paths, c['id'])
      if drawn_lost(text) != lost or not all(path.name in text for path in paths):
        out.append(f'middle near the {near}: {c["id"]}: {drawn_lost(text)} of {lost} lost packets are drawn')
    for columns in (110, 60) if compared else ():
      out += too_wide(desk.show(paths, compared[0]['id'], columns=str(columns)), columns)
  return out


def test_several(desk, pair, other):
  """Of two machines at each end, at the same time: the other's captures are moved there."""
  shift = pair.span()[0] - other.span()[0]
  moved = {side: replace(c, records=[replace(r, time_ns=r.time_ns + shift) for r in c.records])
      for side, c in other.captures.items()}
  alone = {**verdicts(desk.ask_pair(pair)), **verdicts(desk.ask_pair(other, **moved))}
  both = desk.ask(*((side, pair.captures[side]) for side in SIDES), *((side, moved[side]) for side in SIDES))
  together = verdicts(both)
  shared = set(by_ends_of(pair)) & set(by_ends_of(other))
  return [f'{ends}: {said} became {together.get(ends)}' for ends, said in alone.items()
      if ends not in shared and together.get(ends) != said]


def by_ends_of(pair):
  return {ends_of(label[side]) for label in pair.truth['connections'] for side in label['seen_in']}


def test_under_way(desk, pair, _):
  """Both captures begin when some connections are under way: what is left of those is all there is to know them by."""
  ahead_ns = int(pair.truth['clock']['server_minus_client_s'] * 1e9)
  first, last = pair.span()
  out = []
  for share in (0.3, 0.5):
    begin = first + int((last - first) * share)
    late = {side: from_time(pair.captures[side], begin + (ahead_ns if side == 'server' else 0)) for side in SIDES}
    report = desk.ask_pair(pair, **late)
    if report is None:
      return ['no report']
    out += blamed_wrongly(pair, report, ('network',))
    found = by_ends(report)
    for label in pair.truth['connections']:
      if label['cause'] != 'none.normal' or set(label['seen_in']) != set(SIDES):
        continue
      said = found.get(ends_of(label['client']))
      if said and packets_with_data(late, label) and len(said['seen_in']) < 2:
        out.append(f'{label["id"]}: not found in the other capture ({share})')
  return out


def wrong_length(pair, report, side):
  """Whether the capture whose clock was put right still seems to be longer or shorter."""
  capture = report['captures'][SIDES.index(side)] if report else {'notes': []}
  if not any('before packet' in note for note in capture['notes']):
    return []
  times = [r.time_ns for r in pair.captures[side].records]
  off_ns = nanoseconds(capture['last']) - nanoseconds(capture['first']) - (max(times) - min(times))
  return [f'the capture seems {off_ns / 1e9} s longer than it is'] if abs(off_ns) > 40_000_000 else []


def test_clock_set(desk, pair, _):
  out = []
  for side in SIDES:
    times = [r.time_ns for r in pair.captures[side].records]
    border = min(times) + (max(times) - min(times)) // 2
    for step_s in (-5, -0.4, -0.05, 0.05, 0.4, 5):
      records = [replace(r, time_ns=r.time_ns + (int(step_s * 1e9) if r.time_ns >= border else 0))
          for r in pair.captures[side].records]
      report = desk.ask_pair(pair, **{side: replace(pair.captures[side], records=records)})
      out += [f'{side} by {step_s} s: {line}' for line in blamed_wrongly(pair, report)]
      out += [f'{side} by {step_s} s: {line}' for line in wrong_length(pair, report, side)]
      told = report and any('clock was set' in note for capture in report['captures'] for note in capture['notes'])
      if pair.name == 'healthy-nat' and abs(step_s) >= 0.4 and not told:  # less may be how the path's delays vary
        out.append(f'{side} by {step_s} s: the report does not say so')
  return out


@dataclass
class Slewing:
  """From the one time to the other the server's clock goes too fast or too slow."""

  begin_ns: int
  end_ns: int
  rate: float

  def shift_ns(self, time_ns):
    return int((min(max(time_ns, self.begin_ns), self.end_ns) - self.begin_ns) * self.rate)

  def apply(self, capture):
    return replace(capture, records=[replace(r, time_ns=r.time_ns + self.shift_ns(r.time_ns)) for r in capture.records])


def slewed_pair(pair, begin, end, rate):
  """begin and end: shares of the server's capture; how it is slewed by the client's clock, and the server's capture then."""
  times = [r.time_ns for r in pair.captures['server'].records]
  first, length = min(times), max(times) - min(times)
  slewing = Slewing(first + int(length * begin), first + int(length * end), rate)
  ahead_ns = int(pair.truth['clock']['server_minus_client_s'] * 1e9)
  by_client = replace(slewing, begin_ns=slewing.begin_ns - ahead_ns, end_ns=slewing.end_ns - ahead_ns)
  return by_client, slewing.apply(pair.captures['server'])


def wrong_clocks(pair, report, slewing):
  """Times, while connections are in both captures, at which the true difference is not within what is said of it."""
  if report is None or 'clock' not in report:
    return ['no clock']
  spans = [(nanoseconds(c['start']), nanoseconds(c['end'])) for c in report['conversations'] if len(c['seen_in']) > 1]
  out, first, last = [], min(start for start, _ in spans), max(end for _, end in spans)
  drift = pair.truth['clock'].get('drift_ppm', 0) * 1e-6
  said, curve = report['clock'], report.get('clocks', [{}])[0]
  for share in range(0, 101, 5):
    time_ns = first + (last - first) * share // 100
    true_s = pair.truth['clock']['server_minus_client_s'] + slewing.shift_ns(time_ns) / 1e9
    slack_s = 0.0005 + abs(drift) * (last - first) / 1e9
    if abs(said['server_minus_client_s'] - true_s) > said['uncertainty_s'] + slack_s:
      out.append(f'{share} %: {true_s:.6f} s, said {said}')
    if 'curve' in curve and abs(on_curve(curve['curve'], time_ns) - true_s) > curve['curve_uncertainty_s'] + slack_s:
      out.append(f'{share} %: {true_s:.6f} s, the curve says {on_curve(curve["curve"], time_ns):.6f} s')
  return out


def on_curve(curve, time_ns):
  knots = [(nanoseconds(knot['time']), knot['far_minus_near_s']) for knot in curve]
  for (left_ns, left_s), (right_ns, right_s) in zip(knots, knots[1:]):
    if left_ns <= time_ns < right_ns:
      return left_s + (right_s - left_s) * (time_ns - left_ns) / (right_ns - left_ns)
  return knots[0][1] if time_ns < knots[0][0] else knots[-1][1]


def nanoseconds(instant):
  whole, fraction = instant.rstrip('Z').split('.')
  seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
  return int(seconds) * 10**9 + int(fraction.ljust(9, '0'))


def other_connections(capture, number):
  """The same packets of other connections, minutes later: other ports at the client, and other sequence numbers."""
  records = []
  for record in capture.records:
    head, frame = head_of(record, capture.interfaces[record.interface]), bytearray(record.frame)
    if not head or 1433 not in (head.source[1], head.destination[1]):
      continue
    at = packets.link_header_bytes(capture.interfaces[record.interface], record.frame) or 0
    tcp = at + (40 if frame[at] >> 4 == 6 else (frame[at] & 15) * 4)
    client = tcp + (0 if head.destination[1] == 1433 else 2)
    struct.pack_into('!H', frame, client, (struct.unpack_from('!H', frame, client)[0] + 97 * number) % 60000 + 2000)
    for field in (tcp + 4, *([tcp + 8] if head.flags & 16 else [])):
      struct.pack_into('!I', frame, field, (struct.unpack_from('!I', frame, field)[0] + 1000003 * number) % 2**32)
    records.append(replace(record, frame=bytes(frame), time_ns=record.time_ns + number * LONG_EVERY_NS))
  return records


def long_pair(pair):
  """An hour of it, over and over."""
  long = copy.copy(pair)
  long.captures = {side: replace(capture, records=[record for number in range(LONG_TIMES)
      for record in other_connections(capture, number)]) for side, capture in pair.captures.items()}
  return long


def test_slewed(desk, pair, _):
  out = []
  for rate in (-SLEW_RATE, SLEW_RATE):
    slewing, server = slewed_pair(pair, 0.3, 0.7, rate)
    report = desk.ask_pair(pair, server=server)
    out += [f'{rate}: {line}' for line in blamed_wrongly(pair, report) + wrong_clocks(pair, report, slewing)]
  if pair.name != 'healthy-nat':
    return out
  long = long_pair(pair)
  slewing, server = slewed_pair(long, 0.3, 0.6, -SLEW_RATE)
  report = desk.ask_pair(long, server=server)
  out += [f'long: {line}' for line in wrong_clocks(long, report, slewing)]
  accused = [c['cause'] for c in report['conversations'] if c['culprit'] != 'none'] if report else ['no report']
  if accused or len(report['conversations']) < LONG_TIMES:
    out.append(f'long: of {len(report["conversations"])} connections in trouble: {accused[:5]}')
  curve = report.get('clocks', [{}])[0] if report else {}
  if curve.get('curve_uncertainty_s', 1) > curve.get('uncertainty_s', 0) / 2:
    out.append(f'long: the change of the rate is not followed: {report.get("clocks")}')
  return out


def test_time_zone(desk, pair, _):
  moved = replace(pair.captures['server'], records=[replace(r, time_ns=r.time_ns - int(5.5 * 3600e9))
      for r in pair.captures['server'].records])
  before, after = desk.ask_pair(pair), desk.ask_pair(pair, server=moved)
  if not after:
    return ['no report']
  told = any("time zone's difference" in note for capture in after['captures'] for note in capture['notes'])
  out = changed_verdicts(before, after)
  return out if told or 'clock' not in after else [*out, 'the report does not name the time zone']


def packets_with_data(captures, label):
  """Whether both captures have data of it in both directions."""
  for side, capture in captures.items():
    ends = ends_of(label[side])
    ways = {head.source for record in capture.records
        if (head := head_of(record, capture.interfaces[record.interface])) and head.payload and
        {head.source, head.destination} == set(ends)}
    if len(ways) < 2:
      return False
  return True


def test_apart(desk, pair, _):
  """By their times one capture follows the other, as the pieces of one capture do."""
  before, out = desk.ask(*((None, pair.captures[side]) for side in SIDES)), []
  for hours in (-1, 1):
    server = pair.captures['server']
    moved = replace(server, records=[replace(r, time_ns=r.time_ns + hours * 3_600_000_000_000) for r in server.records])
    out += [f'{hours} h: {line}' for line in
        changed_verdicts(before, desk.ask((None, pair.captures['client']), (None, moved)))]
  return out


def test_rings(desk, pair, _):
  """Both capturing machines begin a new file at about the same time, so that the next file of one follows the last of the other."""
  before, out = desk.ask(*((None, pair.captures[side]) for side in SIDES)), []
  ahead_ns = int(pair.truth['clock']['server_minus_client_s'] * 1e9)
  server = pair.captures['server']
  captures = (pair.captures['client'],
      replace(server, records=[replace(r, time_ns=r.time_ns - ahead_ns) for r in server.records]))
  for number, places in enumerate(((('fw', 'trace'), ('srv', 'trace')), (('all', 'sql-01'), ('all', 'sql-02')))):
    root = f'{desk.written}-{pair.name.replace("/", "-")}-{number}'
    (desk.folder / root).mkdir()
    for capture, (folder, name) in zip(captures, places):
      if len(capture.records) >= 4:
        desk.write_ring(capture, f'{root}/{folder}', name, 4)
      else:
        return []
    after = desk.ask_words(*sorted({str(desk.folder / root / folder) for folder, _ in places}))
    out += [f'{places[0]}: {line}' for line in changed_verdicts(before, after)]
    if before and after and len(before['conversations']) != len(after['conversations']):
      out.append(f'{places[0]}: {len(before["conversations"])} conversations became {len(after["conversations"])}')
  return out


def test_pipe(desk, pair, _):
  paths = {side: desk.write(pair.captures[side]) for side in SIDES}
  command = [str(desk.tool), 'diagnose', '--format', 'json', '--quiet', '--client', str(paths['client']), '--server']
  reports = []
  for given in (str(paths['server']), '-'):
    done = subprocess.run([*command, given], input=paths['server'].read_bytes(), capture_output=True, timeout=60, check=False)
    reports.append(done.stdout.decode().replace(str(paths['server']), '-'))
  return [] if reports[0] == reports[1] and reports[0] else ['the reports differ']


def test_copies(desk, pair, _):
  client, server = (pair.captures[side] for side in SIDES)
  out = []
  for before, after, copies in (
      (desk.ask_pair(pair), desk.ask(('client', client), ('client', client), ('server', server), ('server', server)), 2),
      (desk.ask(('client', client)), desk.ask(('client', client), ('server', client)), 1)):
    out += changed_verdicts(before, after)
    if after and len(before['conversations']) != len(after['conversations']):
      out.append(f'{len(before["conversations"])} conversations became {len(after["conversations"])}')
    notes = [note for capture in after['captures'] for note in capture['notes'] if 'copy' in note] if after else []
    if len(notes) != copies:
      out.append(f'{len(notes)} of {copies} copies are told')
  return out


PROPERTIES = {'swap': test_swap, 'unrelated': test_unrelated, 'cut': test_cut, 'advice': test_advice, 'thin': test_thin,
    'middle': test_middle, 'shown': test_shown, 'clock set': test_clock_set, 'slewed': test_slewed,
    'time zone': test_time_zone, 'several': test_several,
    'under way': test_under_way, 'copies': test_copies, 'pipe': test_pipe, 'rings': test_rings, 'apart': test_apart}


def pairs():
  folders = [(path.parent.name, path.parent) for path in sorted(LAB.glob('*/truth.json'))]
  folders += [(f'labelled {name}', SHARED / name) for name in LABELLED if (SHARED / name / 'truth.json').is_file()]
  return [Pair(name, folder) for name, folder in folders]


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--tdscope', required=True, help='the program to test')
  parser.add_argument('--only', choices=list(PROPERTIES))
  arguments = parser.parse_args()
  tap, all_pairs = Tap(), pairs()
  with tempfile.TemporaryDirectory(prefix='tdscope-pairs-') as name:
    desk = Desk(pathlib.Path(arguments.tdscope).resolve(), pathlib.Path(name))
    for number, pair in enumerate(all_pairs):
      for label, test in PROPERTIES.items():
        if arguments.only in (None, label):
          name = f'{label}: {pair.name}'
          tap.case(name, test(desk, pair, all_pairs[number - 1])[:8], KNOWN.get(name))
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
