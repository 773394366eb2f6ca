#!/usr/bin/env python3
"""How many instructions each floor of the program takes, for a packet and for a conversation, on small captures of every kind.

Counted by callgrind, on one thread: counts are the same on a busy machine, where times are not. Captures are made and removed
again. Never asserts anything.

  bench/stages.py --tdscope build-stages/tdscope
  bench/stages.py --tdscope build-stages/tdscope --format json --kind many
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from pair import write_server

HERE = pathlib.Path(__file__).resolve().parent
FLOORS = ('capture', 'packet', 'flow', 'protocol', 'pair', 'finding', 'report', 'engine', 'facts', 'base', 'os')
KINDS = {  # what generate.py is told
  'ordinary': ['--kind', 'ordinary', '--bytes', '20000000'],
  'small': ['--kind', 'small', '--bytes', '10000000'],
  'loss': ['--kind', 'loss', '--bytes', '20000000'],
  'giant': ['--kind', 'giant', '--bytes', '20000000'],
  'many': ['--kind', 'many', '--conversations', '10000'],
  'many clients': ['--kind', 'many', '--conversations', '10000', '--clients', '10000'],
  'pair': ['--kind', 'ordinary', '--bytes', '10000000'],
  'pair, 1 % missing': ['--kind', 'ordinary', '--bytes', '10000000'],
}


def floor_of(place):
  """The floor of a line of callgrind_annotate: its source file."""
  found = re.search(r'src/(\w+)/', place)
  return found.group(1) if found and found.group(1) in FLOORS else 'C library and others'


def count(tdscope, arguments, folder):
  """Instructions by floor."""
  out = folder / 'callgrind.out'
  subprocess.run(['valgrind', '--tool=callgrind', f'--callgrind-out-file={out}', tdscope, *arguments], check=True,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
  lines = subprocess.run(['callgrind_annotate', '--threshold=100', '--auto=no', str(out)], check=True,
                         capture_output=True, text=True).stdout.splitlines()
  floors = collections.Counter()
  for line in lines:
    found = re.match(r' *([\d,]+) \( *[\d.]+%\)\s+(\S+)', line)
    if found and not found.group(2).startswith('PROGRAM'):
      floors[floor_of(found.group(2))] += int(found.group(1).replace(',', ''))
  return floors


def evidence_of(kind, folder):
  """What to give to diagnose, and how many packets and conversations that is."""
  capture, server = folder / 'client.pcap', folder / 'server.pcap'
  made = subprocess.run([sys.executable, str(HERE / 'generate.py'), *KINDS[kind], str(capture)], check=True,
                        capture_output=True, text=True).stderr
  packets, conversations = int(re.search(r'(\d+) packets', made).group(1)), int(re.search(r'(\d+) conv', made).group(1))
  if not kind.startswith('pair'):
    return [str(capture)], packets, conversations
  write_server(capture, server, 0.01 if 'missing' in kind else 0)
  return ['--client', str(capture), '--server', str(server)], 2 * packets, conversations


def main():
  options = argparse.ArgumentParser(description='Counts instructions by floor.')
  options.add_argument('--tdscope', required=True, help='with debug information, which tells sources')
  options.add_argument('--kind', action='append', choices=KINDS, help='only this one')
  options.add_argument('--format', default='text', help='of the report (default: %(default)s)')
  options = options.parse_args()
  rows = {}
  for kind in options.kind or KINDS:
    with tempfile.TemporaryDirectory(prefix='tdscope-stages-') as name:
      evidence, packets, conversations = evidence_of(kind, pathlib.Path(name))
      floors = count(options.tdscope, ['diagnose', '--quiet', '--threads', '1', '--format', options.format, *evidence],
                     pathlib.Path(name))
      rows[kind] = (floors, packets, conversations)
      print(f'{kind}: {packets} packets, {conversations} conversations, {sum(floors.values())} instructions',
            file=sys.stderr, flush=True)
  print('instructions a packet'.ljust(24) + ''.join(kind.rjust(19) for kind in rows))
  for floor in (*FLOORS, 'C library and others'):
    print(floor.ljust(24) + ''.join(f'{floors[floor] / packets:19.0f}' for floors, packets, _ in rows.values()))
  print('all'.ljust(24) + ''.join(f'{sum(floors.values()) / packets:19.0f}' for floors, packets, _ in rows.values()))
  print('all, a conversation'.ljust(24) +
        ''.join(f'{sum(floors.values()) / conversations:19.0f}' for floors, _, conversations in rows.values()))


if __name__ == '__main__':
  main()
