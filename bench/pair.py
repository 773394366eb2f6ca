#!/usr/bin/env python3
"""What the paired diagnosis of both ends' captures takes, beside what each of them takes alone, in one run.

The client's capture is one of generate.py; the server's holds the same packets, as many milliseconds earlier or later as they are
on the way, by another clock. Of the server's a share can be left out, so that every connection is worth comparing packet by
packet. Never asserts anything.

  bench/pair.py --tdscope build/tdscope
  bench/pair.py --tdscope build/tdscope --missing 0.01 --bytes 200000000
"""
import argparse
import collections
import heapq
import os
import pathlib
import random
import struct
import subprocess
import sys

from run import adopt_orphans, describe_machine, measure, report
from traffic import SERVER_ADDRESS

HERE = pathlib.Path(__file__).resolve().parent
ONE_WAY_US, SERVER_AHEAD_US = 50, 10_000  # less than half of what any answer takes in the captures of generate.py
RECORD = struct.Struct('<IIII')


def records(file):
  """(microseconds, whether the client sent it, the record)"""
  server = struct.pack('!I', SERVER_ADDRESS)
  while header := file.read(RECORD.size):
    seconds, micro, captured, _ = RECORD.unpack(header)
    frame = file.read(captured)
    yield seconds * 1_000_000 + micro, frame[26:30] != server, header[8:] + frame


def write_server(client, server, missing):
  """Packets of the server left before the client had them, so their order differs: a heap holds those under way."""
  chance, waiting, number = random.Random(1), [], 0
  with open(client, 'rb') as source, open(server, 'wb') as target:
    target.write(source.read(24))

    def write_until(limit_us):
      while waiting and waiting[0][0] <= limit_us:
        at_us, _, rest = heapq.heappop(waiting)
        target.write(struct.pack('<II', *divmod(at_us, 1_000_000)) + rest)

    for at_us, by_client, rest in records(source):
      there_us = at_us + SERVER_AHEAD_US + (ONE_WAY_US if by_client else -ONE_WAY_US)
      write_until(at_us + SERVER_AHEAD_US - ONE_WAY_US)
      if chance.random() >= missing:
        heapq.heappush(waiting, (there_us, number, rest))
      number += 1
    write_until(float('inf'))


def captures_for(options):
  client = HERE / 'data' / f'ordinary-{options.bytes}.pcap'
  server = HERE / 'data' / f'server-{options.bytes}-{options.missing}.pcap'
  if not client.exists():
    subprocess.run([sys.executable, str(HERE / 'generate.py'), '--bytes', str(options.bytes), str(client)], check=True)
  if not server.exists():
    unfinished = server.with_suffix('.unfinished')
    write_server(client, unfinished, options.missing)
    unfinished.replace(server)
  return client, server


def main():
  options = argparse.ArgumentParser(description='Measures the diagnosis of both ends\' captures.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--rounds', type=int, default=3)
  options.add_argument('--bytes', type=int, default=1_050_000_000, help='of each capture (default: %(default)s)')
  options.add_argument('--missing', type=float, default=0, help='share of packets that the server\'s capture lacks')
  options = options.parse_args()
  client, server = captures_for(options)
  command = [options.tdscope, 'diagnose', '--quiet']
  commands = {}
  for name, more in (('', []), (', one thread', ['--threads', '1'])):
    commands['both' + name] = [*command, *more, '--client', str(client), '--server', str(server)]
    commands['client alone' + name] = [*command, *more, str(client)]
    commands['server alone' + name] = [*command, *more, str(server)]
  describe_machine(options.tdscope)
  print(f'{os.path.relpath(client)}, {os.path.relpath(server)}: {client.stat().st_size} and {server.stat().st_size} bytes, '
        f'in the page cache; {options.missing:.1%} missing; {options.rounds} rounds\n')
  adopt_orphans()
  subprocess.run(['cat', str(client), str(server)], stdout=subprocess.DEVNULL, check=True)
  runs = collections.defaultdict(list)
  for _ in range(options.rounds):
    for name, words in commands.items():
      runs[name].append(measure(words))
  report(runs, [])
  for name in ('', ', one thread'):
    sums = [a.seconds + b.seconds for a, b in zip(runs['client alone' + name], runs['server alone' + name])]
    shares = sorted(both.seconds / alone for both, alone in zip(runs['both' + name], sums))
    print(f'both{name}, compared with each alone: {shares[len(shares) // 2]:.3g} x the sum ({shares[0]:.3g} to {shares[-1]:.3g})')


if __name__ == '__main__':
  main()
