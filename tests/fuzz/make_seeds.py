#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, below seeds/, from scenes and from small captures made by hand.

  tests/fuzz/make_seeds.py
"""
import pathlib
import shutil
import struct
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(TESTS / 'scenes'), str(TESTS / 'bad_input')]
sys.dont_write_bytecode = True
import capture_bytes as make
import scene
from scene_pcapng import LINK_TYPES

SCENES = {  # name of the seed: scene
  'login': 'none.normal/clear-sql-login',
  'encrypted': 'none.normal/login-encrypted',
  'strict': 'none.normal/tds8-strict',
  'cut': 'none.normal/truncated-to-180',
  'ntlm-vlan-ipv6': 'none.normal/ntlm-ipv6-vlan',
  'cooked': 'client.login-refused/18456-then-reset-ipv6-cooked2',
  'raw': 'none.probe/ipv6-raw',
  'mars': 'none.mars-close/benign-reset',
}
FOR_READERS = ('made.pcap', 'made.pcapng', 'cut.pcapng', 'raw.pcapng')
LARGEST_SEED_BYTES = 16_000
FROM_SERVER = 1
END = 3 << 1


def capture_seeds(scenes):
  frames = make.exchange()
  seeds = {'made.pcap': make.pcap(frames), 'made.pcapng': make.pcapng(frames), 'refused.pcap': make.pcap(make.refusals(2))}
  for name, loaded in scenes.items():
    with tempfile.TemporaryDirectory() as folder:
      for path in scene.write_scene(loaded, folder).values():
        seeds[f'{name}.pcapng'] = path.read_bytes()
  return seeds


def packet_seeds(scenes):
  """Frames as fuzz_packet.c reads them."""
  seeds = {}
  for name, loaded in scenes.items():
    records = scene.capture_records(loaded, loaded.captures[0])
    frames = (record.frame[:loaded.snaplen or None] for record in records if len(record.frame) <= 0xFFFF)
    seeds[name] = struct.pack('<H', LINK_TYPES[loaded.link]) + b''.join(
      struct.pack('<HB', len(frame), 0) + frame for frame in frames)
  return seeds


def tds_seeds(scenes):
  """Calls as fuzz_tds.c reads them."""
  seeds = {}
  for name, loaded in scenes.items():
    calls = b''
    _, talk, _ = loaded.talks[0]
    for packet in talk.tcp.packets:
      if packet.payload and len(packet.payload) <= 0xFFFF:
        calls += struct.pack('<BH', FROM_SERVER * (packet.sender == 'server'), len(packet.payload)) + packet.payload
    seeds[name] = calls + struct.pack('<BHBH', END, 0, END | FROM_SERVER, 0)
  return seeds


def main():
  scenes = {name: scene.load(TESTS / 'scenes' / f'{path}.scene') for name, path in SCENES.items()}
  captures = capture_seeds(scenes)
  targets = {
    'capture': captures, 'readers': {name: captures[name] for name in FOR_READERS}, 'packet': packet_seeds(scenes),
    'tds': tds_seeds(scenes),
  }
  for target, seeds in targets.items():
    folder = HERE / 'seeds' / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in seeds.items():
      if len(content) <= LARGEST_SEED_BYTES:
        (folder / name).write_bytes(content)
      else:
        print(f'{target}/{name} is left out: {len(content)} bytes', file=sys.stderr)


if __name__ == '__main__':
  main()
