#!/usr/bin/env python3
"""The same packets in another format get the same verdicts: captures of tests/lab_captures as Windows' event traces, as Network
Monitor's captures, compressed and in archives; prints TAP.

  tests/formats/run.py --tdscope build/tdscope
"""
import argparse
import json
import pathlib
import socket
import struct
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'scenes'), str(HERE.parent)]

import archive_bytes
import etl_bytes as make
import netmon_bytes
import packed_bytes
from scene import load, write_scene
from scene_pcapng import read_capture
from scene_tool import diagnose, run_tool
from tap import Tap

LAB = HERE.parent / 'lab_captures'
FOLDERS = ('client-no-ack', 'device-reset', 'login-stalled', 'drop-to-client')
SIDES = ('client', 'server')

# name: (style, events of the packets)
EVENT_TRACES = {
  'netsh': (make.Style(), make.ndis_events),
  'netsh-of-four-processors': (make.Style(processors=4, chatter=True, items=True), lambda packets: make.ndis_events(packets, trailer=True)),
  'netsh-circular': (make.Style(processors=3, buffer_bytes=4096, rotated=True), make.ndis_events),
  'netsh-of-windows-7': (make.Style(processors=1, wide=False), lambda packets: make.ndis_events(packets, parts=3)),
  'netsh-of-several-layers': (make.Style(processors=2), lambda packets: make.ndis_events(packets, layers=(make.LAYER_ABOVE, make.CARD))),
  'netsh-by-system-time': (make.Style(clock=make.CLOCK_SYSTEM, closed=False), make.ndis_events),
  'netsh-merged': (make.Style(processors=2, compressed=True, buffer_bytes=1 << 20), make.ndis_events),
  'pktmon': (make.Style(processors=2, compressed=True, buffer_bytes=1 << 17),
             lambda packets: make.pktmon_events(packets, appearances=7)),
  'pktmon-of-windows-11': (make.Style(processors=3, compressed=True, buffer_bytes=1 << 17, build=26100),
                           lambda packets: make.pktmon_events(packets, appearances=6, counted=False, drops=[(packets[0], 1204)] * 3)),
}
CAPTURES = {
  'netmon': netmon_bytes.Style(),
  'netmon-with-remarks': netmon_bytes.Style(remarks=True),
  'netmon-out-of-order': netmon_bytes.Style(shuffled=True, holes=3),
  'netmon-of-wifi': netmon_bytes.Style(media=netmon_bytes.WLAN),
  'netmon-of-wifi-overheard': netmon_bytes.Style(media=netmon_bytes.WLAN, mode=netmon_bytes.MONITOR),
  'netmon-converted': netmon_bytes.Style(media=netmon_bytes.CONVERTED + 1),
}
TRACES = {
  **{name: ('etl', lambda packets, how=how: make.etl(list(how[1](packets)), how[0], packets[0].time_ns)) for name, how in EVENT_TRACES.items()},
  **{name: ('cap', lambda packets, style=style: netmon_bytes.netmon(packets, style)) for name, style in CAPTURES.items()},
}
SEVERAL_TIMES = {'netmon-with-remarks': 2, 'netsh-of-several-layers': 2, 'pktmon': 7, 'pktmon-of-windows-11': 6}  # frames are counted for a packet
OTHER_HEADERS = ('netmon-of-wifi', 'netmon-of-wifi-overheard')  # packets are longer, or shorter, than with Ethernet's


def sender_of(frame):
  """The address that an Ethernet frame's IP packet is from."""
  return frame[22:38] if frame[12:14] == b'\x86\xdd' else frame[26:30]


def packed(address):
  return socket.inet_pton(socket.AF_INET6 if ':' in address else socket.AF_INET, address)


def packets_of(folder, side):
  """The capture's packets, at times that event traces can tell: in units of 100 ns."""
  truth = json.loads((folder / 'truth.json').read_text())
  own = {packed(connection[side][side]['address']) for connection in truth['connections'] if side in connection['seen_in']}
  capture = read_capture(folder / f'{side}.pcapng')
  return [make.Packet(record.time_ns // 100 * 100, record.frame, record.wire_bytes, sender_of(record.frame) in own)
          for record in capture.records]


def write_pcap(path, packets):
  with open(path, 'wb') as file:
    file.write(struct.pack('<IHHiIII', 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
    for packet in packets:
      file.write(struct.pack('<IIII', *divmod(packet.time_ns, 10**9), len(packet.data), packet.wire) + packet.data)


def write_trace(folder, name, packets, trace):
  """The path of the file."""
  ending, bytes_of = TRACES[trace]
  path = folder / f'{name}.{ending}'
  path.write_bytes(bytes_of(packets))
  return path


def told(report, times):
  """What the report says of conversations, without what differs by format; frames are counted `times` as often."""
  def plain(value):
    if isinstance(value, list):
      return [plain(item) for item in value]
    if isinstance(value, dict):
      return {name: -(-item // times) if name == 'frame' else plain(item) for name, item in value.items()}
    return value
  captures = [(capture['role'], capture['packets'], capture['first'], capture['last']) for capture in report['captures']]
  return {'verdict': report['verdict'], 'conversations': plain(report['conversations']), 'captures': captures}


def complaints_of(report, wanted, trace):
  if report is None:
    return ['there is no report']
  found = told(report, SEVERAL_TIMES.get(trace, 1))
  found = [difference for name in wanted for difference in differences(name, found[name], wanted[name])]
  return [difference for difference in found if trace not in OTHER_HEADERS or '.bytes: ' not in difference]


def differences(where, found, wanted):
  if isinstance(found, dict) and isinstance(wanted, dict):
    return [difference for name in {**wanted, **found}
            for difference in differences(f'{where}.{name}', found.get(name), wanted.get(name))]
  if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
    return [difference for number, pair in enumerate(zip(found, wanted)) for difference in differences(f'{where}[{number}]', *pair)]
  return [] if found == wanted else [f'{where}: {found}, not {wanted}']


def check_folder(tap, tool, folder, work):
  packets = {side: packets_of(folder, side) for side in SIDES}
  for modes in (('client',), ('server',), SIDES):
    arguments = []
    for side in modes:
      write_pcap(work / f'{side}.pcap', packets[side])
      arguments += [f'--{side}', work / f'{side}.pcap']
    wanted = told(diagnose(tool, arguments)[1], 1)
    for trace in TRACES:
      arguments = []
      for side in modes:
        arguments += [f'--{side}', write_trace(work, side, packets[side], trace)]
      run, report = diagnose(tool, arguments)
      complaints = [run.complaint] if run.died else complaints_of(report, wanted, trace)
      unended = not run.died and any('not ended properly' in note for note in report['captures'][0]['notes'])
      if trace in EVENT_TRACES and unended == EVENT_TRACES[trace][0].closed:
        complaints.append('it is told not to be closed, or not told')
      tap.case(f'{folder.name}, {" and ".join(modes)} as {trace}', complaints)


def check_ways(tap, tool, folder, work):
  """Through a pipe, and beside a capture in another format."""
  packets = {side: packets_of(folder, side) for side in SIDES}
  write_pcap(work / 'client.pcap', packets['client'])
  write_pcap(work / 'server.pcap', packets['server'])
  for trace in ('pktmon', 'netmon-out-of-order'):
    path = write_trace(work, 'server', packets['server'], trace)
    wanted = told(diagnose(tool, ['--server', work / 'server.pcap'])[1], 1)
    run = run_tool(tool, ['diagnose', '--format', 'json', '--server', '-'], piped=path.read_bytes())
    tap.case(f'{trace} through a pipe', [run.complaint] if run.died else complaints_of(json.loads(run.out), wanted, trace))
    wanted = told(diagnose(tool, ['--client', work / 'client.pcap', '--server', work / 'server.pcap'])[1], 1)
    _, report = diagnose(tool, ['--client', work / 'client.pcap', '--server', path])
    found = told(report, 1)
    tap.case(f'{trace} beside a pcap', [] if found['conversations'] == wanted['conversations'] else ['conversations differ'])


def check_packed(tap, tool, folder, work):
  """Compressed, with what it holds read from front to back, or not; from a file, through a pipe and beside others."""
  packets = {side: packets_of(folder, side) for side in SIDES}
  for side in SIDES:
    write_pcap(work / f'{side}.pcap', packets[side])
  wanted = told(diagnose(tool, ['--server', work / 'server.pcap'])[1], 1)
  both = told(diagnose(tool, ['--client', work / 'client.pcap', '--server', work / 'server.pcap'])[1], 1)
  for name, pack in packed_bytes.PACKINGS.items():
    (work / 'client.packed').write_bytes(pack((work / 'client.pcap').read_bytes()))
    for ending, content in (('pcap', (work / 'server.pcap').read_bytes()), ('cap', write_trace(work, 'server', packets['server'], 'netmon-out-of-order').read_bytes())):
      path = work / f'server.{ending}.{name}'
      path.write_bytes(pack(content))
      run, report = diagnose(tool, ['--server', path])
      tap.case(path.name, [run.complaint] if run.died else complaints_of(report, wanted, ''))
      run = run_tool(tool, ['diagnose', '--format', 'json', '--server', '-'], piped=path.read_bytes())
      tap.case(f'{path.name} through a pipe', [run.complaint] if run.died else complaints_of(json.loads(run.out), wanted, ''))
      run, report = diagnose(tool, ['--client', work / 'client.packed', '--server', path])
      tap.case(f'{path.name} beside another', [run.complaint] if run.died else complaints_of(report, both, ''))


def check_archives(tap, tool, folder, work):
  """An archive is a folder: its captures and logs are read, and what is neither is named."""
  packets = {side: packets_of(folder, side) for side in SIDES}
  for side in SIDES:
    write_pcap(work / f'{side}.pcap', packets[side])
  wanted = told(diagnose(tool, ['--client', work / 'client.pcap', '--server', work / 'server.pcap'])[1], 1)
  etl = write_trace(work, 'server', packets['server'], 'netsh').read_bytes()
  client, server = ((work / f'{side}.pcap').read_bytes() for side in SIDES)
  for kind, pack in archive_bytes.KINDS.items():
    for name, taken, member in (('client', client, 'Größe/here.pcap'), ('server', packed_bytes.gz(etl), 'NetTrace.etl.gz')):
      (work / f'{name}.{kind}').write_bytes(pack([('./.hidden', b'x'), (member, taken), ('notes/', b'')][:2 + (kind.startswith('tar'))] +
                                                 [('../../a.txt', b'Monday\n' * 9)]))
    arguments = ['--client', work / f'client.{kind}', '--server', work / f'server.{kind}']
    run, report = diagnose(tool, arguments)
    complaints = [run.complaint] if run.died else complaints_of(report, wanted, '')
    if report:
      files = [capture['file'] for capture in report['captures']]
      complaints += [] if files == [f'{work}/client.{kind}/Größe/here.pcap', f'{work}/server.{kind}/NetTrace.etl.gz'] else [str(files)]
    said = sorted(line for line in run.err.splitlines() if 'a.txt looks like plain text' in line)
    complaints += [] if len(said) == 2 and len(run.err.splitlines()) == 2 else [run.err]
    tap.case(f'both ends in a {kind}', complaints)
  (work / 'both.zip').write_bytes(archive_bytes.make_zip([('client.pcap', client), ('server.pcap', server)]))
  run, report = diagnose(tool, [work / 'both.zip'])
  tap.case('both ends in one archive', [] if report and told(report, 1)['conversations'] == wanted['conversations'] else ['they differ'])


def check_converted(tap, tool, folder, work):
  """What Microsoft's tools made of a trace, in microseconds and with all its records, is a copy of it."""
  packets = packets_of(folder, 'client')
  for trace, times in (('netsh', 1), ('netsh-of-windows-7', 1), ('pktmon', 7), ('pktmon-of-windows-11', 6)):
    write_trace(work, 'trace', packets, trace)
    copies = [replace(packet, time_ns=packet.time_ns // 1000 * 1000) for packet in packets for _ in range(times)]
    write_pcap(work / 'trace.pcap', copies)
    _, report = diagnose(tool, [work / 'trace.etl', work / 'trace.pcap'])
    notes = report['captures'][0]['notes'] if report else []
    told_of = len(report['captures']) == 1 and any('holds the same packets' in note for note in notes)
    tap.case(f'{trace}, beside what was made of it', [] if told_of else [f'captures: {report["captures"]}'])
    middle = len(packets) // 2 * times
    copies[middle:middle + times] = [replace(copies[middle], data=bytes(60))] * times
    write_pcap(work / 'trace.pcap', copies)
    _, report = diagnose(tool, [work / 'trace.etl', work / 'trace.pcap'])
    tap.case(f'{trace}, beside another capture', [] if len(report['captures']) == 2 else ['it is taken for a copy'])


def cause_with_drops(tool, work, name, reason, sent):
  """What is said of a scene whose server's trace tells that packets of one side were dropped."""
  path = write_scene(load(HERE.parent / 'scenes' / f'{name}.scene'), work)['server']
  server = b'\x0a\x02\x00\x09'
  packets = [make.Packet(record.time_ns // 100 * 100, record.frame, record.wire_bytes, sender_of(record.frame) == server)
             for record in read_capture(path).records]
  drops = [(packet, reason) for packet in packets if packet.sent == sent]
  style = make.Style(processors=2, compressed=True, buffer_bytes=1 << 17)
  (work / 'server.etl').write_bytes(make.etl(list(make.pktmon_events(packets, 5, drops=drops)), style, packets[0].time_ns))
  _, report = diagnose(tool, ['--server', work / 'server.etl'])
  kinds = [(source['kind'], source['records']) for source in report['sources']]
  return report['verdict']['cause'], kinds, len(drops)


def check_drops(tap, tool, work):
  """Packet Monitor's events of drops are proof, where a filter dropped; where a card, IP or TCP had no use for a packet, or no reason is
  told, they accuse nobody."""
  filtered, other = (909, 1207, 1231), (0, 7, 33, 201, 217, 902, 918, 1204, 1217, 1501)
  for reason, wanted in [(reason, 'server.firewall-drop') for reason in filtered] + [(reason, 'server.no-answer') for reason in other]:
    cause, kinds, drops = cause_with_drops(tool, work, 'server.no-answer/three-syns', reason, sent=False)
    right = cause == wanted and kinds == [('pktmon', drops)] and drops > 0
    tap.case(f'drops for reason {reason}', [] if right else [f'{cause}, sources {kinds}, {drops} drops'])


def told_of_verdict(tool, path):
  verdict = diagnose(tool, ['--server', path])[1]['verdict']
  return verdict['cause'], verdict['confidence'], verdict['summary']


def check_impossible_begin(tap, tool, folder, work):
  """Where the head tells of no possible time, packets are as far apart as they were."""
  packets = packets_of(folder, 'server')
  write_trace(work, 'server', packets, 'netsh')
  content = bytearray((work / 'server.etl').read_bytes())
  wanted = told_of_verdict(tool, work / 'server.etl')
  begin = struct.pack('<Q', make.FILETIME_OF_1970 + packets[0].time_ns // 100)
  for time in (0, make.FILETIME_OF_1970 + (1 << 56), (1 << 62) - 1, (1 << 64) - 1):
    changed = content.replace(begin, struct.pack('<Q', time))
    (work / 'server.etl').write_bytes(changed)
    found = told_of_verdict(tool, work / 'server.etl')
    tap.case(f'begin at {time:#x}', [] if found == wanted and changed != content else [f'{found}, not {wanted}'])


def check_bomb(tap, tool, work):
  """Buffers of a few bytes that claim to be of many MiB are no trace's, and take no time."""
  style, size = make.Style(compressed=True, buffer_bytes=16 << 20), (16 << 20) - make.BUFFER_HEADER
  message = struct.pack('<HBBI', 8, 0, 0x90, 0)  # of WPP
  packed = make.Compressor()
  for byte in message:
    packed.flag(0)
    packed.out.append(byte)
  packed.match(len(message), size - len(message))
  flags = make.INDEX_VALID | make.COMPRESSED
  buffers = [make.buffer_bytes(bytes(size), number, 0, flags, packed=packed.finish()) for number in range(1, 4)]
  (work / 'bomb.etl').write_bytes(make.head_buffer(style, 1_700_000_000_000_000_000, len(buffers)) + b''.join(buffers))
  _, report = diagnose(tool, [work / 'bomb.etl'])
  notes = report['captures'][0]['notes'] if report else []
  tap.case('small buffers that expand to many MiB', [] if any('is damaged' in note for note in notes) else [f'notes: {notes}'])


def check_cut(tap, tool, folder, work):
  """Cut anywhere, it is read as far as it goes, and that is said."""
  packets = packets_of(folder, 'client')
  for trace in ('netsh-of-four-processors', 'pktmon', 'netmon', 'netmon-with-remarks'):
    content, wrong = write_trace(work, 'whole', packets, trace).read_bytes(), []
    for part in range(1, 40):
      size = len(content) * part // 40
      (work / 'cut').write_bytes(content[:size])
      run, report = diagnose(tool, [work / 'cut'])
      if run.died or (report is None and not run.err.strip()):
        wrong.append(f'{size} bytes: {run.complaint}')
      elif report and report['captures'] and not report['captures'][0]['notes']:
        wrong.append(f'{size} bytes: nothing is said of it')
    tap.case(f'{trace}, cut', wrong)


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--tdscope', required=True)
  tool = pathlib.Path(parser.parse_args().tdscope).resolve()
  tap = Tap()
  with tempfile.TemporaryDirectory() as work:
    for name in FOLDERS:
      check_folder(tap, tool, LAB / name, pathlib.Path(work))
    check_ways(tap, tool, LAB / FOLDERS[0], pathlib.Path(work))
    check_converted(tap, tool, LAB / FOLDERS[0], pathlib.Path(work))
    check_impossible_begin(tap, tool, LAB / FOLDERS[2], pathlib.Path(work))
    check_bomb(tap, tool, pathlib.Path(work))
    check_drops(tap, tool, pathlib.Path(work))
    check_packed(tap, tool, LAB / FOLDERS[3], pathlib.Path(work))
    check_archives(tap, tool, LAB / FOLDERS[3], pathlib.Path(work))
    check_cut(tap, tool, LAB / FOLDERS[0], pathlib.Path(work))
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
