#!/usr/bin/env python3
"""Files 1.pcapng and 2.pcapng, given without their sides, are one capture's or two, as their packets and heads tell; prints TAP.

They follow each other in time, so that it is not their times that tell: a connection begins in the one and goes on in the other.
"""

import argparse
import pathlib
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'scenes'), str(HERE.parent)]

import property_packets as packets
from scene import write_scene
from scene_language import read_scene
from scene_pcapng import read_capture
from scene_tool import diagnose
from tap import Tap

SCENE = """
client 10.1.0.5:50123 windows
server 10.2.0.9:1433 windows
hops 3
capture both
handshake
login
query x20 every 500ms
close
"""
BORDER_NS = 5 * 10**9  # after the first packet
SHB_HARDWARE, SHB_OS, IF_NAME = 2, 3, 2


def halves(first, second):
  """What of the one lies before the border, and of the other behind it."""
  border_ns = first.records[0].time_ns + BORDER_NS
  return (replace(first, records=[r for r in first.records if r.time_ns < border_ns]),
          replace(second, records=[r for r in second.records if r.time_ns >= border_ns]))


def with_cards(capture, cards):
  """Frames whose link addresses are these two, whichever way they go."""
  def changed(record):
    forth = record.frame[26:30] == bytes([10, 1, 0, 5])
    return replace(record, frame=(cards[1] + cards[0] if forth else cards[0] + cards[1]) + record.frame[12:])
  return replace(capture, records=[changed(r) for r in capture.records])


def is_one(tool, folder, captures, heads):
  """Whether the connection has the packets of both files. Of two captures each is a view of it."""
  paths = [folder / f'{number}.pcapng' for number in (1, 2)]
  for path, capture, head in zip(paths, captures, heads):
    packets.write_capture(path, capture, *(head or ()))
  _, report = diagnose(tool, paths)
  return [c['packets'] for c in report['conversations']] == [sum(len(capture.records) for capture in captures)]


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--tdscope', required=True, help='the program to test')
  tool, tap = pathlib.Path(parser.parse_args().tdscope).resolve(), Tap()
  with tempfile.TemporaryDirectory(prefix='tdscope-places-') as name:
    folder = pathlib.Path(name)
    written = write_scene(read_scene(SCENE, 'places'), folder)
    client, server = (read_capture(written[side]) for side in ('client', 'server'))
    same = halves(client, client)
    cards = [bytes([2, 0, 0, 0, 0, number]) for number in range(4)]
    moved, rerouted = ((with_cards(same[0], cards[:2]), with_cards(same[1], other)) for other in (cards[2:], cards[::3]))
    windows = [(SHB_HARDWARE, 'Xeon'), (SHB_OS, 'Windows 10')], [(IF_NAME, r'\Device\NPF_{A}')]
    for label, captures, heads, are_one in (
        ('two pieces', same, (None, None), True),
        ('two pieces that say where they are of', same, (windows, windows), True),
        ('two pieces, one of which another program cut', same, (windows, None), True),
        ('one machine behind another router', rerouted, (None, None), True),
        ('two places along the way', halves(client, server), (None, None), False),
        ('two places by the cards', moved, (None, None), False),
        ('two systems', same, (windows, ([(SHB_OS, 'Linux 6.1')],)), False),
        ('two machines', same, (windows, ([(SHB_HARDWARE, 'Epyc')],)), False),
        ('two interfaces', same, (windows, ([], [(IF_NAME, r'\Device\NPF_{B}')])), False)):
      said = is_one(tool, folder, captures, heads)
      tap.case(label, [] if said == are_one else [f'taken for {"one" if said else "two"}'])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
