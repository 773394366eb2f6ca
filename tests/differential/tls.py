#!/usr/bin/env python3
"""Compares what tdscope says of TLS with tshark, over captures of TDS, as TAP.

For each session with a hello that either of them finds at a port of TDS: version, cipher suite, server name, ALPN, the
alerts in clear in their order, and the server's certificates: their SHA-256, names, and whether SQL Server made them itself.
Over the captures of TDS that others made, and over labelled ones that are not cut to 180 bytes (tshark does not read what is
cut; the property tests do).

Differences that are known, with the reason, are listed in tls_known.tsv; one that is listed and no longer occurs is an
error. --differences prints what would have to be listed.

  tests/differential/tls.py --tdscope build/tdscope
"""
import collections
import concurrent.futures
import hashlib
import ipaddress
import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True
from captures import FOLDER
from known_differences import KnownDifferences
from tap import Tap
from wireshark import Wireshark, read_options, run, skip_unless_comparable

KNOWN = HERE / 'tls_known.tsv'
LABELLED = FOLDER.parent / 'labelled'
LABELLED_FILES = 40
SUITES = HERE.parents[1] / 'src/facts/tls_suites.def'
FIELDS = ('tcp.stream', 'frame.number', 'ip.src', 'ipv6.src', 'tcp.srcport', 'ip.dst', 'ipv6.dst', 'tcp.dstport',
          'tls.handshake.type', 'tls.handshake.version', 'tls.handshake.extensions.supported_version',
          'tls.handshake.ciphersuite', 'tls.handshake.extensions_server_name', 'tls.handshake.extensions_alpn_str',
          'tls.alert_message.desc', 'x509sat.uTF8String', 'x509sat.printableString', 'x509sat.teletexString',
          'x509sat.bmpString', 'tls.handshake.certificate')
FACTS = ('sessions', 'version', 'cipher', 'server name', 'alpn', 'alerts', 'certificates')
FALLBACK = 'SSL_Self_Signed_Fallback'
FALLBACK_SEEN = '1-tds/exploitpcap__mssql-xpcmdshell-whoami.pcap'  # from SQL Server on Windows: its name is a BMPString
SQL_SERVER_PORT = 1433
VERSIONS = {'0x0300': 'SSL 3.0', '0x0301': 'TLS 1.0', '0x0302': 'TLS 1.1', '0x0303': 'TLS 1.2', '0x0304': 'TLS 1.3'}
CLIENT_HELLO, SERVER_HELLO = '1', '2'
NAME_PART = re.compile(r'(?:^|,)[A-Za-z0-9.]+=((?:\\.|[^,\\])*)')

Row = collections.namedtuple('Row', 'stream frame src4 src6 sport dst4 dst6 dport types versions supported suites names '
                                    'alpn alerts utf8 printable teletex bmp certificates')


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
    self.certificates = []

  def take(self, row, suites):
    if CLIENT_HELLO in row.types:
      self.facts['server name'] = row.names[0] if row.names else None
      self.facts['alpn'] = row.alpn or None
    elif SERVER_HELLO in row.types:
      version = (row.supported or row.versions)[0]
      self.facts['version'] = VERSIONS.get(version, version)
      self.facts['cipher'] = suites.get(row.suites[0].lower(), row.suites[0]) if row.suites else None
    self.alerts += [int(number) for number in row.alerts]
    self.certificates += [hashlib.sha256(bytes.fromhex(one.replace(':', ''))).hexdigest() for one in row.certificates]
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
  """({ends: [conversation]} of TDS conversations whose TLS handshake is in the capture, all ports of TDS)"""
  found, ports = collections.defaultdict(list), {SQL_SERVER_PORT}
  for line in run([tdscope, 'conversations', '--format', 'json', str(path)]).stdout.splitlines():
    conversation = json.loads(line)
    if conversation['protocol'] in ('tds', 'tds8'):
      ports.add(conversation['server']['port'])
    if conversation.get('tls') and hello_frames(conversation):
      ends = tuple(sorted((str(ipaddress.ip_address(conversation[side]['address'])), conversation[side]['port'])
                          for side in ('client', 'server')))
      found[ends].append(conversation)
  return found, ports


def name_values(certificates, *fields):
  return {re.sub(r'\\(.)', r'\1', part) for certificate in certificates for field in fields
          for part in NAME_PART.findall(certificate.get(field, ''))}


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
  certificates = tls.get('certificates', ())
  prints = [certificate['sha256'].replace(':', '').lower() for certificate in certificates]
  if prints != session.certificates:
    yield 'certificates', f'SHA-256: tshark {session.certificates}, tdscope {prints}'
  for value in sorted(name_values(certificates, 'subject') - session.names):
    yield 'certificates', f'only tdscope has the name {value}'
  for value in sorted(session.names - name_values(certificates, 'subject', 'issuer')):
    yield 'certificates', f'only tshark has the name {value}'
  made_by_server = any(certificate.get('sql_server_fallback') for certificate in certificates)
  if made_by_server != (FALLBACK in session.names):
    yield 'certificates', f'made by SQL Server itself: tshark {FALLBACK in session.names}, tdscope {made_by_server}'


def examine(wireshark, tdscope, suites, path):
  """{fact: complaints} of one capture, how many conversations were compared, how many certificates SQL Server made."""
  theirs = sessions_of(wireshark.fields(path, 'tls && !icmp && !icmpv6', FIELDS), suites)
  complaints, compared, fallbacks = {fact: [] for fact in FACTS}, 0, 0
  ours, ports = ours_of(tdscope, path)
  of_tds = {ends for ends in theirs if any(port in ports for _, port in ends)}
  for ends in sorted(of_tds | set(ours)):
    sessions, conversations = theirs.get(ends, []), ours.get(ends, [])
    name = ' - '.join(f'{address}:{port}' for address, port in ends)
    if len(sessions) != len(conversations):
      complaints['sessions'].append(f'{name}: tshark {len(sessions)}, tdscope {len(conversations)}')
      continue
    for number, (session, conversation) in enumerate(zip(sessions, sorted(conversations, key=lambda one: one['id'])), 1):
      compared += 1
      fallbacks += any(one.get('sql_server_fallback') for one in conversation['tls'].get('certificates', ()))
      for fact, line in compare(session, conversation):
        complaints[fact].append(f'{name}{f" ({number})" if number > 1 else ""}: {line}')
  return complaints, compared, fallbacks


def labelled_captures():
  """Some from each scenario, from both ends, none cut to 180 bytes; those about TLS first."""
  folders = [path for path in sorted(LABELLED.glob('*/*')) if path.name.isdigit() and int(path.name) % 3]
  folders.sort(key=lambda path: (int(path.name), not path.parent.name.startswith('tls'), path.parent.name))
  found = [path / f'{side}.pcapng' for path in folders for side in ('client', 'server')]
  return [path for path in found if path.exists()][:LABELLED_FILES]


def main():
  options = read_options('what is said of TLS', KNOWN.name)
  paths = [FOLDER / name for name in options.captures] or sorted((FOLDER / '1-tds').glob('*')) + labelled_captures()
  paths = [path for path in paths if path.suffix != '.tsv']
  skip_unless_comparable(paths, 'tshark')
  wireshark, suites, known = Wireshark(options.cache), suite_names(), KnownDifferences(KNOWN)
  tap, all_compared, fallbacks_in = Tap(), 0, {}
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    outcomes = pool.map(lambda path: examine(wireshark, options.tdscope, suites, path), paths)
    for path, (complaints, compared, fallbacks) in zip(paths, outcomes):
      name, all_compared = str(path.relative_to(FOLDER.parent)), all_compared + compared
      fallbacks_in[path] = fallbacks
      for fact, lines in complaints.items():
        if options.differences:
          known.print_lines(name, fact, lines)
        else:
          known.case(tap, name, fact, lines)
  if options.differences:
    return 0
  if not options.captures:
    known.leftovers(tap)
  if FOLDER / FALLBACK_SEEN in fallbacks_in:
    tap.case(f'{FALLBACK_SEEN}: SQL Server made the certificate itself',
             [] if fallbacks_in[FOLDER / FALLBACK_SEEN] else ['not known for what it is'])
  tap.case(f'{all_compared} conversations were compared', [] if all_compared else ['none at all'])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
