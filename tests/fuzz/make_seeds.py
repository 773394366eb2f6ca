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
sys.path[:0] = [str(TESTS / 'scenes'), str(TESTS / 'bad_input'), str(TESTS / 'formats')]
sys.dont_write_bytecode = True
import archive_bytes
import capture_bytes as make
import etl_bytes
import netmon_bytes
import packed_bytes
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
TDS_SCENES = {  # besides them, for the target tds
  'tls-alert': 'w/w06-tls-alert-wrapped',
  'tls-alert-strict': 'w/w06-tls-alert-strict',
  'tls13': 'w/w05-tls13-is-not-tls12',
  'certificate': 'w/certificate-of-its-own',
}
EVIDENCE_SCENES = (  # whose files beside the captures are seeds
  'server.io-stall/login-stalls-near-it', 'server.io-stall/slow-answers-near-it', 'client.filter-driver/no-ack-and-antivirus',
  'client.filter-driver/no-ack-at-the-server', 'client.offload/adapter', 'client.offload/netsh-german', 'client.tls-settings/no-common-suite',
  'client.dhe-enabled/unpatched-2016', 'client.keep-alive-settings/driver-too-seldom', 'client.keep-alive-settings/instance',
  'client.port-range/netsh-french', 'client.port-range/linux-narrowed', 'client.rss-disabled/server-by-netsh',
  'client.no-pooling/tasklist-names-the-program', 'none.normal/beside-tools-of-microsoft', 'none.normal/application-reports-elsewhere', 'server.login-stalled/application-reports-by-id',
  'server.login-stalled/application-reports-then', 'network.syn-lost/application-reports-no-answer',
)
IPCONFIG = '''
Windows IP Configuration

   Host Name . . . . . . . . . . . . : APP01

Ethernet adapter Ethernet:

   Link-local IPv6 Address . . . . . : fe80::c936:c2db:79ad:e1c6%16(Preferred)
   IPv4 Address. . . . . . . . . . . : 10.1.0.5(Preferred)
   Subnet Mask . . . . . . . . . . . : 255.255.255.0
   Default Gateway . . . . . . . . . : 10.1.0.1
'''
FOR_READERS = ('made.pcap', 'made.pcapng', 'cut.pcapng', 'raw.pcapng', 'netsh.etl', 'netsh-parts.etl', 'pktmon.etl', 'pktmon-uncounted.etl',
               'netmon.cap', 'netmon-mixed.cap', 'netmon-1.cap', *(f'made.{name}' for name in packed_bytes.PACKINGS))
LARGEST_SEED_BYTES = 16_000
FROM_SERVER = 1
END = 3 << 1


def packets_of(frames):
  return [etl_bytes.Packet(1_700_000_000_000_000_000 + number * 1_000_000, frame, len(frame), number % 2 == 0)
          for number, frame in enumerate(frames[:12])]


def netmon_seeds(frames):
  kinds = {
    'netmon': netmon_bytes.Style(media=netmon_bytes.WLAN),
    'netmon-mixed': netmon_bytes.Style(remarks=True, shuffled=True, holes=3),
    'netmon-1': netmon_bytes.Style(version=(1, 1), finished=False),
  }
  return {f'{name}.cap': netmon_bytes.netmon(packets_of(frames), style) for name, style in kinds.items()}


def etl_seeds(frames):
  """Event traces of each kind, with a few packets each."""
  packets = packets_of(frames)
  small = {'buffer_bytes': 1024, 'processors': 2}
  kinds = {
    'netsh': (etl_bytes.Style(**small, chatter=True), etl_bytes.ndis_events(packets, trailer=True, layers=(etl_bytes.LAYER_ABOVE, etl_bytes.CARD))),
    'netsh-parts': (etl_bytes.Style(**small, wide=False, rotated=True, items=True), etl_bytes.ndis_events(packets, parts=3)),
    'pktmon': (etl_bytes.Style(**small, compressed=True), etl_bytes.pktmon_events(packets, appearances=2)),
    'pktmon-uncounted': (etl_bytes.Style(**small, compressed=True), etl_bytes.pktmon_events(packets, appearances=2, counted=False, drops=[(packet, 909) for packet in packets[:2]])),
  }
  return {f'{name}.etl': etl_bytes.etl(list(events), style, packets[0].time_ns) for name, (style, events) in kinds.items()}


def capture_seeds(scenes):
  frames = make.exchange()
  seeds = {'made.pcap': make.pcap(frames), 'made.pcapng': make.pcapng(frames), 'refused.pcap': make.pcap(make.refusals(2)),
           **etl_seeds(frames), **netmon_seeds(frames),
           **{f'made.{name}': pack(make.pcap(frames)) for name, pack in packed_bytes.PACKINGS.items()},
           **{f'archive.{kind}': pack([('a.pcap', make.pcap(frames)), ('logs/ipconfig.txt', IPCONFIG.encode())])
              for kind, pack in archive_bytes.KINDS.items()}}
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


def dns_message(flags, answers=b''):
  question = b'\3sql\4test\0' + struct.pack('>HH', 1, 1)
  return struct.pack('>6H', 0x1234, flags, 1, 2 if answers else 0, 0, 0) + question + answers


def der(tag, *content):
  content = b''.join(content)
  return bytes((tag, len(content))) + content


def kerberos_messages():
  """TGS-REQ, TGS-REP and KRB-ERROR with little more than names."""
  service = der(0x30, der(0xa0, der(2, b'\2')), der(0xa1, der(0x30, der(0x1b, b'MSSQLSvc'), der(0x1b, b'sql:1433'))))
  head = der(0xa1, der(2, b'\5')) + der(0xa2, der(2, b'\x0c'))
  request = der(0x6c, der(0x30, head, der(0xa4, der(0x30, der(0xa2, der(0x1b, b'TEST')), der(0xa3, service)))))
  ticket = der(0x61, der(0x30, der(0xa1, der(0x1b, b'TEST')), der(0xa2, service)))
  reply = der(0x6d, der(0x30, der(0xa0, der(2, b'\5')), der(0xa3, der(0x1b, b'TEST')), der(0xa5, ticket)))
  error = der(0x7e, der(0x30, der(0xa6, der(2, b'\x34')), der(0xa9, der(0x1b, b'TEST')), der(0xaa, service)))
  return request, reply, error


def smb_create():
  """SMB2 CREATE of SQL Server's pipe, with the length before it."""
  name = 'sql\\query'.encode('utf-16-le')
  header = b'\xfeSMB' + struct.pack('<HHIHHII', 64, 0, 0, 5, 1, 0, 0) + bytes(40)
  body = struct.pack('<H42xHHII', 57, 120, len(name), 0, 0)
  message = header + body.ljust(56, b'\0') + name
  return struct.pack('>I', len(message)) + message


def datagram_seeds():
  """Calls as fuzz_datagrams.c reads them."""
  port = {'dns': 0, 'kerberos': 1, 'browser': 2, 'mdns': 3, 'llmnr': 4, 'smb': 5}
  datagram, stream, gap, refusal = range(4)

  def call(which, where, content, server=False):
    return struct.pack('<BH', FROM_SERVER * server | which << 1 | port[where] << 3, len(content)) + content

  answers = b'\xc0\x0c' + struct.pack('>HHIH', 5, 1, 5, 2) + b'\xc0\x0c' + \
    b'\xc0\x0c' + struct.pack('>HHIH', 1, 1, 300, 4) + bytes((10, 0, 0, 7))
  asked, answered = dns_message(0x0100), dns_message(0x8180, answers)
  framed = [struct.pack('>H', len(message)) + message for message in (asked, answered)]
  request, reply, error = kerberos_messages()
  framed_kerberos = [struct.pack('>I', len(message)) + message for message in (request, reply)]
  instances = b'ServerName;SQL7;InstanceName;DEV;IsClustered;No;Version;16.0.1000.6;np;\\\\SQL7\\pipe\\q;tcp;51433;;' * 2
  browser = b'\5' + struct.pack('<H', len(instances)) + instances
  return {
    'names': b''.join(call(datagram, where, asked) + call(datagram, where, answered, True)
                      for where in ('dns', 'llmnr', 'mdns')) + call(datagram, 'dns', asked) + call(refusal, 'dns', b''),
    'names-tcp': call(stream, 'dns', framed[0] * 2) + call(stream, 'dns', framed[1] * 2, True) + call(gap, 'dns', b'') +
                 call(stream, 'dns', framed[0]),
    'tickets': call(datagram, 'kerberos', request) + call(datagram, 'kerberos', error, True) +
               call(stream, 'kerberos', framed_kerberos[0]) + call(stream, 'kerberos', framed_kerberos[1], True),
    'instances': call(datagram, 'browser', b'\4DEV\0') + call(datagram, 'browser', browser, True) +
                 call(datagram, 'browser', b'\2') + call(datagram, 'browser', browser, True) +
                 call(datagram, 'browser', b'\x0f\1DEV\0') +
                 call(datagram, 'browser', b'\5\6\0\1\x9a\5', True) + call(refusal, 'browser', b''),
    'pipe': call(stream, 'smb', smb_create()) + call(stream, 'smb', b'\0\0\0\1x', True),
  }


def evidence_seeds():
  seeds = {'ipconfig': IPCONFIG.encode(), 'ipconfig-utf-16be': IPCONFIG.encode('utf-16-be')}
  for name, loaded in load_scenes({path: path for path in EVIDENCE_SCENES}).items():
    with tempfile.TemporaryDirectory() as folder:
      for number, source in enumerate(loaded.files):
        path = source.write(pathlib.Path(folder), scene.START_NS, loaded.talks)
        seeds[f"{name.split('.')[1].replace('/', '-')}-{number}"] = path.read_bytes()
  return seeds


def load_scenes(paths):
  return {name: scene.load(TESTS / 'scenes' / f'{path}.scene') for name, path in paths.items()}


def main():
  scenes = load_scenes(SCENES)
  captures = capture_seeds(scenes)
  targets = {
    'capture': captures, 'readers': {name: captures[name] for name in FOR_READERS}, 'packet': packet_seeds(scenes),
    'tds': tds_seeds({**scenes, **load_scenes(TDS_SCENES)}), 'datagrams': datagram_seeds(), 'evidence': evidence_seeds(),
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
