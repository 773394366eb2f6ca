"""Asks the program about captures of two places, and reads its answer."""

import datetime
import json
import os
import pathlib
import subprocess
import sys
from dataclasses import replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'scenes'), str(HERE.parent / 'property')]

import property_packets as packets
from scene_pcapng import read_capture

SIDES = ('client', 'server')
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

  def write_ring(self, capture, folder, name, pieces, left_out=None):
    """As dumpcap writes a ring buffer; without one piece, of which the seconds between its neighbours are returned."""
    (self.folder / folder).mkdir(exist_ok=True)
    records = capture.records
    borders = [len(records) * number // pieces for number in range(pieces + 1)]
    for number in range(pieces):
      own = records[borders[number] : borders[number + 1]]
      if number == left_out:
        continue
      stamp = datetime.datetime.fromtimestamp(own[0].time_ns // 10**9, datetime.UTC).strftime('%Y%m%d%H%M%S')
      packets.write_capture(self.folder / folder / f'{name}_{number + 1:05}_{stamp}.pcapng', replace(capture, records=own))
    return (records[borders[left_out + 1]].time_ns - records[borders[left_out] - 1].time_ns) / 1e9 if left_out else 0

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


def json_objects(text):
  decoder, at = json.JSONDecoder(), 0
  while at < len(text.rstrip()):
    shown, at = decoder.raw_decode(text, at)
    yield shown
    at += len(text[at:]) - len(text[at:].lstrip())


def nanoseconds(instant):
  whole, fraction = instant.rstrip('Z').split('.')
  seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
  return int(seconds) * 10**9 + int(fraction.ljust(9, '0'))
