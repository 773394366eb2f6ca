#!/usr/bin/env python3
"""Compares what tdscope says of TLS with tshark, over captures of TDS, as TAP.

For each TDS conversation with a hello: version, cipher suite, server name, ALPN, number and sender's order of the alerts in
clear, and the names in the server's certificates. Over the captures of TDS that others made, and over labelled ones that
are not cut to 180 bytes (tshark does not read what is cut; the property tests do).

Differences that are known, with the reason, are listed in tls_known.tsv; one that is listed and no longer occurs is an
error. --differences prints what would have to be listed.

  tests/differential/tls.py --tdscope build/tdscope
"""
import argparse
import collections
import concurrent.futures
import ipaddress
import json
import os
import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True
from around import Wireshark, run
from captures import FOLDER
from tap import Tap, skip_all

KNOWN = HERE / 'tls_known.tsv'
LABELLED = FOLDER.parent / 'labelled'
LABELLED_FILES = 40
SUITES = HERE.parents[1] / 'src/report/tls_suites.def'
FIELDS = ('tcp.stream', 'frame.number', 'ip.src', 'ipv6.src', 'tcp.srcport', 'ip.dst', 'ipv6.dst', 'tcp.dstport',
          'tls.handshake.type', 'tls.handshake.version', 'tls.handshake.extensions.supported_version',
          'tls.handshake.ciphersuite', 'tls.handshake.extensions_server_name', 'tls.handshake.extensions_alpn_str',
          'tls.alert_message.desc', 'x509sat.uTF8String', 'x509sat.printableString', 'x509sat.teletexString',
          'x509sat.bmpString')
VERSIONS = {'0x0300': 'SSL 3.0', '0x0301': 'TLS 1.0', '0x0302': 'TLS 1.1', '0x0303': 'TLS 1.2', '0x0304': 'TLS 1.3'}
CLIENT_HELLO, SERVER_HELLO = '1', '2'
NAME_PART = re.compile(r'(?:^|,)[A-Za-z0-9.]+=((?:\\.|[^,\\])*)')

Row = collections.namedtuple('Row', 'stream frame src4 src6 sport dst4 dst6 dport types versions supported suites names '
                                    'alpn alerts utf8 printable teletex bmp')


def suite_names():
  return {f'0x{int(number, 16):04x}': name
          for number, name in re.findall(r'^SUITE\((0x[0-9a-f]+), (\w+)\)', SUITES.read_text(), re.M)}


def end(row, which):
  address = getattr(row, f'{which}4') or getattr(row, f'{which}6')
  return str(ipaddress.ip_address(address[0])), int(getattr(row, 'sport' if which == 'src' else 'dport')[0])


class Session:
  """One TCP stream's TLS as tshark tells it."""

  def __init__(self, row):
    self.ends = tuple(sorted((end(row, 'src'), end(row, 'dst'))))
    self.first = int(row.frame[0])
    self.facts = {}
    self.alerts = []
    self.names = set()

  def take(self, row, suites):
    if CLIENT_HELLO in row.types:
      self.facts['server name'] = row.names[0] if row.names else None
      self.facts['alpn'] = row.alpn or None
    elif SERVER_HELLO in row.types:
      version = (row.supported or row.versions)[0]
      self.facts['version'] = VERSIONS.get(version, version)
      self.facts['cipher'] = suites.get(row.suites[0].lower(), row.suites[0]) if row.suites else None
    self.alerts += [int(number) for number in row.alerts]
    self.names.update(row.utf8 + row.printable + row.teletex + row.bmp)


def sessions_of(rows, suites):
  """{ends: [Session]} of the streams that have a hello, in the order of the capture."""
  streams = {}
  for row in (Row(*values) for values in rows):
    if row.stream and (row.src4 or row.src6):
      streams.setdefault(row.stream[0], Session(row)).take(row, suites)
  found = collections.defaultdict(list)
  for session in sorted(streams.values(), key=lambda session: session.first):
    if session.facts:
      found[session.ends].append(session)
  return found


def hello_frames(conversation):
  return {step['frame'] for step in conversation['login'].get('timeline', ())
          if step['step'] in ('client-hello', 'server-hello')}


def ours_of(tdscope, path):
  """{ends: [conversation]} of TDS conversations whose TLS handshake is in the capture."""
  found = collections.defaultdict(list)
  for line in run([tdscope, 'conversations', '--format', 'json', str(path)]).stdout.splitlines():
    conversation = json.loads(line)
    if conversation.get('tls') and hello_frames(conversation):
      ends = tuple(sorted((str(ipaddress.ip_address(conversation[side]['address'])), conversation[side]['port'])
                          for side in ('client', 'server')))
      found[ends].append(conversation)
  return found


def subject_values(conversation):
  for certificate in conversation['tls'].get('certificates', ()):
    for part in NAME_PART.findall(certificate.get('subject', '')):
      yield re.sub(r'\\(.)', r'\1', part)


def compare(session, conversation):
  """What is told differently, as lines by fact."""
  tls = conversation['tls']
  ours = {'version': tls.get('version'), 'cipher': tls.get('cipher'), 'server name': tls.get('server_name'),
          'alpn': tls.get('alpn_offered')}
  for fact, theirs in session.facts.items():
    if theirs != ours[fact]:
      yield fact, f'tshark {theirs}, tdscope {ours[fact]}'
  alerts = [alert['number'] for alert in tls['alerts'] if not alert['encrypted']]
  if alerts != session.alerts:
    yield 'alerts', f'tshark {session.alerts}, tdscope {alerts}'
  missing = [value for value in subject_values(conversation) if value not in session.names]
  if missing or bool(session.names) != bool(tls.get('certificates')):
    yield 'certificates', f'tshark {sorted(session.names)}, tdscope {tls.get("certificates")}'


def examine(wireshark, tdscope, suites, path):
  """{fact: complaints} of one capture, and how many conversations were compared."""
  theirs = sessions_of(wireshark.fields(path, 'tls && !icmp && !icmpv6', FIELDS), suites)
  complaints, compared = collections.defaultdict(list), 0
  for ends, conversations in ours_of(tdscope, path).items():
    sessions = theirs.get(ends, [])
    if len(sessions) != len(conversations):
      complaints['sessions'].append(f'{ends}: tshark {len(sessions)}, tdscope {len(conversations)}')
      continue
    for session, conversation in zip(sessions, sorted(conversations, key=lambda one: one['id'])):
      compared += 1
      for fact, line in compare(session, conversation):
        complaints[fact].append(f'conversation {conversation["id"]}: {line}')
  return complaints, compared


def labelled_captures():
  """Some from each scenario, from both ends, none cut to 180 bytes; those about TLS first."""
  folders = [path for path in sorted(LABELLED.glob('*/*')) if path.name.isdigit() and int(path.name) % 3]
  folders.sort(key=lambda path: (int(path.name), not path.parent.name.startswith('tls'), path.parent.name))
  found = [path / f'{side}.pcapng' for path in folders for side in ('client', 'server')]
  return [path for path in found if path.exists()][:LABELLED_FILES]


def read_known():
  """{(file, fact): reason}"""
  known = {}
  for line in KNOWN.read_text(encoding='utf-8').splitlines():
    if line and not line.startswith('#'):
      name, fact, reason = line.split('\t')
      known[name, fact] = reason
  return known


def main():
  options = argparse.ArgumentParser(description='Compares what tdscope says of TLS with tshark.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--cache', type=pathlib.Path, default=pathlib.Path('build-test/tshark-answers'))
  options.add_argument('--differences', action='store_true', help='print lines for tls_known.tsv instead of TAP')
  options = options.parse_args()
  paths = sorted((FOLDER / '1-tds').glob('*')) + labelled_captures()
  paths = [path for path in paths if path.suffix != '.tsv']
  if not paths:
    skip_all(f'no captures in {os.path.relpath(FOLDER)}')
  if not shutil.which('tshark'):
    skip_all('no tshark to compare with')
  wireshark, suites, known = Wireshark(options.cache), suite_names(), read_known()
  tap, seen, all_compared = Tap(), set(), 0
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    outcomes = pool.map(lambda path: examine(wireshark, options.tdscope, suites, path), paths)
    for path, (complaints, compared) in zip(paths, outcomes):
      name, all_compared = str(path.relative_to(FOLDER.parent)), all_compared + compared
      seen.update((name, fact) for fact in complaints)
      if options.differences:
        for fact, lines in complaints.items():
          print(name, fact, known.get((name, fact)) or '; '.join(lines), sep='\t')
        continue
      new = [line for fact, lines in complaints.items() if (name, fact) not in known for line in lines]
      tap.case(f'{name}: {compared} conversations', new)
  if options.differences:
    return 0
  tap.case('tls_known.tsv names only what still differs', [' '.join(line) for line in known if line not in seen])
  tap.case(f'{all_compared} conversations were compared', [] if all_compared else ['none at all'])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
