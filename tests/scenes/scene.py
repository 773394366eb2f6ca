#!/usr/bin/env python3
"""Turns a scene (README.md) into capture files: scene.py FILE... -o FOLDER. The same text gives the same bytes."""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True

from scene_device import as_seen
from scene_language import SceneError, read_scene
from scene_pcapng import Record, wrap_in_link_layer, write_pcapng
from scene_tcp import ip_fragments, ip_packet

DOUBLED_AFTER_NS = 20_000
START_NS = 1_772_443_800_000_000_000  # 2026-03-02T09:30:00Z


def seen_at(packet, vantage):
  """When the capture at `vantage` sees the packet, None when it does not."""
  if vantage in packet.unseen_by:
    return None
  return packet.sent if packet.sender == vantage and not packet.by_device else packet.arrives


def capture_records(scene, vantage):
  """The frames that the capture at `vantage` holds, in its clock's time."""
  entries = []
  skew = scene.skew if vantage == 'server' else 0
  for _, talk, _ in scene.talks:
    if talk.from_server and vantage == 'client':
      continue
    side = 'client' if talk.from_server else vantage
    for packet in talk.tcp.packets:
      time = seen_at(packet, side)
      if time is None or outside(scene, vantage, time) or packet.sender != scene.only.get(vantage, packet.sender):
        continue
      twice_after = DOUBLED_AFTER_NS if vantage in scene.doubled else packet.seen_twice_after
      for frame in frames_of(scene, packet, side, vantage):
        entries.append((time + skew, len(entries), frame))
        if twice_after is not None:
          entries.append((time + skew + twice_after, len(entries), frame))
  for packet in scene.around:
    if packet.vantage in (None, vantage) and not outside(scene, vantage, packet.time):
      entries.append((packet.time + skew, len(entries), frame_around(scene, packet, vantage)))
  entries.sort(key=lambda e: e[:2])
  return [Record(START_NS + told(scene, time), frame, len(frame)) for time, _, frame in entries]


def merged_records(scene):
  records = [record for vantage in scene.captures for record in capture_records(scene, vantage)]
  return sorted(records, key=lambda record: record.time_ns)


def outside(scene, vantage, time):
  begin, end = scene.windows.get(vantage, (None, None))
  return (begin is not None and time < begin) or (end is not None and time > end)


def told(scene, time):
  """What the capture's clock says."""
  by, at = scene.clock_set or (0, 0)
  return time + by if time >= at else time


def frames_of(scene, packet, side, vantage):
  """The frames of a packet, more than one if it travels in fragments; side is the end of its conversation that the capture at
  vantage was taken at."""
  if scene.id_zero:
    packet.ip_id = 0
  seen = packet if packet.by_device else as_seen(packet, side, scene.device)
  data = ip_packet(seen, vantage=side, hops=scene.hops, offload=scene.offload,
                   translated=scene.translated if vantage == 'server' else {})
  outgoing = packet.sender == side and not packet.by_device
  return [wrap_in_link_layer(part, scene.link, vantage=vantage, outgoing=outgoing, vlan=scene.vlan)
          for part in ip_fragments(data, packet.fragment_bytes)]


def frame_around(scene, packet, vantage):
  if packet.runt:
    return packet.data
  outgoing = packet.sender == scene.own_address(vantage)
  return wrap_in_link_layer(packet.data, scene.link, vantage=vantage, outgoing=outgoing, vlan=scene.vlan)


def write_scene(scene, folder):
  """Writes client.pcapng and/or server.pcapng; returns {vantage: path}."""
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  paths = {}
  for vantage in scene.captures[:1] if scene.merged else scene.captures:
    path = folder / f'{vantage}.pcapng'
    records = merged_records(scene) if scene.merged else capture_records(scene, vantage)
    write_pcapng(path, scene.link, records, snaplen=scene.snaplen, drops=scene.drops,
                 big_endian=scene.big_endian, microseconds=scene.microseconds)
    paths[vantage] = path
  return paths


def load(path):
  return read_scene(pathlib.Path(path).read_text(encoding='utf-8'), pathlib.Path(path).name)


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('scenes', nargs='+', help='scene files')
  parser.add_argument('-o', '--output', default='.', help='folder for client.pcapng and server.pcapng')
  arguments = parser.parse_args()
  for path in arguments.scenes:
    try:
      scene = load(path)
    except SceneError as problem:
      print(problem, file=sys.stderr)
      return 2
    folder = pathlib.Path(arguments.output)
    if len(arguments.scenes) > 1:
      folder /= pathlib.Path(path).stem
    for written in write_scene(scene, folder).values():
      print(written)
  return 0


if __name__ == '__main__':
  sys.exit(main())
