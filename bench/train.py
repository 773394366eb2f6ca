#!/usr/bin/env python3
"""Runs a build of tdscope that counts what it executes over traffic of every kind, so that the compiler can build it again by these counts.

Every command and format has its share, and the captures of tests/lab_captures bring real connections and broken ones: what never runs here
is taken for seldom, and gets slower. Captures are made and removed again.

  bench/train.py --tdscope build-tuned/tdscope
"""
import argparse
import pathlib
import struct
import subprocess
import sys
import tempfile

from pair import records, write_server

HERE = pathlib.Path(__file__).resolve().parent
KINDS = {  # what generate.py is told
  'ordinary': ['--kind', 'ordinary', '--bytes', '60000000'],
  'small': ['--kind', 'small', '--bytes', '10000000'],
  'loss': ['--kind', 'loss', '--bytes', '5000000'],
  'giant': ['--kind', 'giant', '--bytes', '5000000'],
  'many': ['--kind', 'many', '--conversations', '1000', '--clients', '200'],
  'open': ['--kind', 'open', '--conversations', '1000'],
}

EXIT_CODES = (0, 3)  # all was read, or some was damaged


def pcapng_block(kind, body):
  size = struct.pack('<I', 12 + len(body))
  return struct.pack('<I', kind) + size + body + size


def write_pcapng(pcap, pcapng):
  """The same packets as the format of Wireshark and dumpcap (draft-ietf-opsawg-pcapng): section, interface, enhanced packets."""
  with open(pcap, 'rb') as source, open(pcapng, 'wb') as target:
    source.read(24)
    target.write(pcapng_block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1)))
    target.write(pcapng_block(1, struct.pack('<HHI', 1, 0, 0)))
    for at_us, _, rest in records(source):
      lengths, frame = rest[:8], rest[8:]
      times = struct.pack('<III', 0, at_us >> 32, at_us & 0xFFFFFFFF)
      target.write(pcapng_block(6, times + lengths + frame + bytes(-len(frame) % 4)))


def main():
  options = argparse.ArgumentParser(description='Runs tdscope over traffic of every kind.')
  options.add_argument('--tdscope', required=True)
  options = options.parse_args()

  def run(*arguments):
    # Exit codes tell what was found; it writes its counts only when it ends by itself.
    done = subprocess.run([options.tdscope, *map(str, arguments), '--quiet'], stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in EXIT_CODES:
      sys.exit(f'{options.tdscope} {" ".join(map(str, arguments))}: ended with {done.returncode}')

  with tempfile.TemporaryDirectory() as folder:
    for kind, words in KINDS.items():
      pcap, pcapng = (pathlib.Path(folder) / f'{kind}.{format}' for format in ('pcap', 'pcapng'))
      subprocess.run([sys.executable, str(HERE / 'generate.py'), *words, str(pcap)], check=True, stderr=subprocess.DEVNULL)
      write_pcapng(pcap, pcapng)
      run('diagnose', '--threads', '1', pcap)
      run('diagnose', '--threads', '1', pcapng)
      run('diagnose', '--threads', '1', '--format', 'json', pcap)
      run('diagnose', '--threads', '2', pcap)
    client, server = pathlib.Path(folder) / 'ordinary.pcap', pathlib.Path(folder) / 'server.pcap'
    run('conversations', '--threads', '1', client)
    write_server(client, server, 0.01)
    run('diagnose', '--threads', '1', '--client', client, '--server', server)
  for capture in sorted((HERE.parent / 'tests/lab_captures').glob('*/*.pcap*')):
    run('diagnose', '--threads', '1', capture)


if __name__ == '__main__':
  main()
