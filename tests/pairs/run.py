#!/usr/bin/env python3
"""Properties of captures taken at several places, over the lab's captures and, where they are there, the labelled ones; prints TAP.

swap       the captures given for each other's side: nobody is blamed who is not to blame
misnamed   a capture alone given for the other side's, or both for one's: likewise
unrelated  one more capture, of other connections: the verdicts stay
cut        either capture begins late or ends early: nobody is blamed for what was not captured
holes      either capture has nothing of a while in between: likewise
advice     to capture at an end is given to nobody whose captures of both ends have the connection, cut short or not, or ran
           while it was there
thin       either capture misses one to five packets of a hundred, at random: the network is not blamed for them
middle     a third capture between the two: the verdicts stay, the points stand in order, and losses have a place
shown      those three drawn by `show`: each packet's way is what the comparison counted, and the verdict is the connection's
several    captures of two clients and two servers at once: the verdicts stay
set late   one capture's clock is set forward just before its last packets: likewise, for nothing tells that from a delay
clock set  one capture's clock is set by 0.05 to 5 s while it runs: nobody is blamed who is not to blame
slewed     one capture's clock is slewed for a while: nobody is blamed who is not to blame, and the clocks' difference, which is
           known, lies within what is said of it at all times
time zone  one capture holds local time: the verdicts stay, and the report says so
under way  captures that begin after the handshakes: the connections are still found to be the same
copies     each capture twice, or one for both ends: the verdicts are those without the copy, and it is said
pipe       one capture comes through a pipe: the report is the same
rings      each capture in pieces, of which those of the other machine seem to follow by their times: the verdicts stay
left out   each capture alone, and both, in pieces of which one in the middle is not given: nobody is blamed for what it has, and it
           is said
machines   captures of two clients, named by a person as if the one went on where the other ends, amid connections: the verdicts are
           those of each alone
apart      the clocks differ by an hour, and nobody says where the captures were taken: the verdicts stay
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parent / 'scenes'), str(HERE.parent / 'property')]

import property_packets as packets
from changed_captures import (LONG_TIMES, from_time, long_pair, middle_of, packets_with_data, slewed_pair, until_time,
    without_time)
from contract import shown_complaints
from desk import SIDES, Desk, Pair, blamed_wrongly, by_ends, changed_verdicts, ends_of, json_objects, nanoseconds, verdicts
from tap import Tap

LAB = HERE.parent / 'lab_captures'
SHARED = HERE.parent.parent.parent / 'shared' / 'captures' / 'labelled'
LABELLED = ('network-drop-both-directions/1', 'network-device-reset/2', 'network-loss/1', 'nat-rewrites/1', 'normal/2',
    'server-filter-driver/1', 'client-abort/1', 'network-idle-drop-keepalive/1', 'network-delay/1', 'mars-benign-reset/2')
RING_PIECES = 5
SLEW_RATE = 0.0005  # RFC 5905, appendix A.5.5
KNOWN = {  # where it is known to be wrong, and why
  'slewed: two-machines-answer': 'two machines answer by one address, over ways of their own, and the clocks are said to differ by 2.8 ms less than they do',
}


def test_swap(desk, pair, _):
  return blamed_wrongly(pair, desk.ask(('server', pair.captures['client']), ('client', pair.captures['server'])))


def test_misnamed(desk, pair, _):
  out = []
  for given, side in (('server', 'client'), ('client', 'server')):
    report = desk.ask((given, pair.captures[side]))
    out += [f'the {side}\'s alone as the {given}\'s: {line}' for line in blamed_wrongly(pair, report)]
    role = report['captures'][0]['role'] if report else None
    if pair.name == 'healthy-nat' and role != side:
      out.append(f'the {side}\'s alone as the {given}\'s: it is taken for one of the {role}')
    report = desk.ask(*((given, pair.captures[each]) for each in SIDES))
    out += [f'both as the {given}\'s: {line}' for line in blamed_wrongly(pair, report)]
  return out


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
          wrong = blamed_wrongly(pair, desk.ask_pair(pair, **{side: capture}))
          out += [f'{side} {label} ({share}): {line}' for line in wrong]
  return out


def test_holes(desk, pair, _):
  out = []
  for side in SIDES:
    times = [r.time_ns for r in pair.captures[side].records]
    first, last = min(times), max(times)
    for share, length_ns in ((0.2, 10**9), (0.5, (last - first) // 5), (0.7, 3 * 10**9)):
      border = first + int((last - first) * share)
      holed = without_time(pair.captures[side], border, border + length_ns)
      if holed.records:
        wrong = blamed_wrongly(pair, desk.ask_pair(pair, **{side: holed}))
        out += [f'{side} has a hole at {share} of {length_ns / 1e9:.1f} s: {line}' for line in wrong]
  return out


def needless_advice(report):
  """Findings that ask for a capture of an end, although both captures ran while all of their connections were there."""
  both = {c['id'] for c in report['conversations'] if set(c['seen_in']) == {0, 1} or ran_then(report, c)} if report else set()
  for finding in report['findings'] if report else ():
    if not finding['conversations'] or not set(finding['conversations']) <= both:
      continue
    asked = [finding.get('would_settle', ''), *finding['actions']]
    yield from (f'{finding["cause"]}: {words[:60]}' for words in asked if re.match('(A c|C)aptures? (taken )?on (the )?(client|server)', words))


def ran_then(report, connection):
  """Whether the other capture covers the time of a connection that is in one, by one clock."""
  ahead_ns = int(report['clock']['server_minus_client_s'] * 1e9) if 'clock' in report else None
  other = report['captures'][1 - connection['seen_in'][0]]
  ahead_ns = ahead_ns if ahead_ns is None or connection['seen_in'] == [0] else -ahead_ns
  return ahead_ns is not None and (nanoseconds(other['first']) <= nanoseconds(connection['start']) + ahead_ns and
      nanoseconds(connection['end']) + ahead_ns <= nanoseconds(other['last']))


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


def test_set_late(desk, pair, _):
  out = []
  for side in SIDES:
    times = sorted(r.time_ns for r in pair.captures[side].records)
    for last in (1, 3):
      records = [replace(r, time_ns=r.time_ns + (5 * 10**9 if r.time_ns >= times[-last] else 0))
          for r in pair.captures[side].records]
      report = desk.ask_pair(pair, **{side: replace(pair.captures[side], records=records)})
      out += [f'{side} before its last {last}: {line}' for line in blamed_wrongly(pair, report)]
  return out


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


def test_left_out(desk, pair, _):
  out = []
  for sides in (('client',), ('server',), SIDES):
    words, room = [], False
    for side in sides:
      folder = f'{desk.written}-{"-".join(sides)}-{side}-{pair.name.replace("/", "-")}'
      if len(pair.captures[side].records) < RING_PIECES:
        return []
      gap_s = desk.write_ring(pair.captures[side], folder, 'trace', RING_PIECES, left_out=2)
      room = room or gap_s > 0.1
      words += [word for path in sorted((desk.folder / folder).iterdir()) for word in (f'--{side}', str(path))]
    report = desk.ask_words(*words)
    out += [f'{"+".join(sides)}: {line}' for line in blamed_wrongly(pair, report)]
    told = [note for capture in report['captures'] for note in capture['notes'] if 'file 3 of this series was not given' in note]
    if room and not told:
      out.append(f'{"+".join(sides)}: that a file lacks is not told')
  return out


def test_machines(desk, pair, other):
  root = desk.folder / f'machines-{desk.written}-{pair.name.replace("/", "-")}'
  clients = [{label['client']['client']['address'] for label in each.truth['connections'] if 'client' in label['seen_in']}
      for each in (pair, other)]
  if clients[0] & clients[1] or not all(clients):
    return []
  first = until_time(pair.captures['client'], sum(pair.span()) // 2)
  later = sum(pair.span()) // 2 - other.span()[0] + 10**9
  second = replace(other.captures['client'], records=[replace(r, time_ns=r.time_ns + later) for r in other.captures['client'].records])
  root.mkdir()
  alone = {}
  for name, capture in (('sql1', first), ('sql2', second)):
    packets.write_capture(root / f'{name}.pcapng', capture)
    alone |= verdicts(desk.ask_words(str(root / f'{name}.pcapng')))
  together = verdicts(desk.ask_words(str(root)))
  return [f'{ends}: {said} became {together.get(ends)}' for ends, said in alone.items() if together.get(ends) != said]


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


PROPERTIES = {'swap': test_swap, 'misnamed': test_misnamed, 'unrelated': test_unrelated, 'cut': test_cut, 'holes': test_holes, 'advice': test_advice, 'thin': test_thin,
    'middle': test_middle, 'shown': test_shown, 'clock set': test_clock_set, 'set late': test_set_late, 'slewed': test_slewed,
    'time zone': test_time_zone, 'several': test_several,
    'under way': test_under_way, 'copies': test_copies, 'pipe': test_pipe, 'rings': test_rings, 'left out': test_left_out,
    'machines': test_machines, 'apart': test_apart}


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
