#!/usr/bin/env python3
"""Properties that hold for every capture, over the scenes and, where it is there, ../shared/captures; prints TAP.

resegment  any cutting of the TCP stream into segments gives the same login facts and message counts
prefix     any beginning of a capture ends with status 0, 3 or 4, JSON, and no signal
snaplen    180 bytes a packet give the same steps
duplicate  every packet twice gives the same causes and no retransmission more
poor       a capture that misses, reorders or copies packets late never makes a healthy conversation somebody's fault
threads    one thread and several give the same report, byte by byte
order      chained files give the same conversations in any order of the command line
"""

import argparse
import json
import pathlib
import random
import struct
import sys
import tempfile
import time
from dataclasses import replace

sys.dont_write_bytecode = True

import property_packets as packets
from scene import load, write_scene
from scene_around import dns_message, ip_header, udp
from scene_pcapng import block_borders, read_capture
from scene_tool import capture_arguments, diagnose, run_tool
from tap import Tap

HERE = pathlib.Path(__file__).resolve().parent
SHARED = HERE.parent.parent.parent / 'shared' / 'captures'

SCENES = (
  'none.normal/clear-sql-login', 'none.normal/login-encrypted', 'none.normal/tds8-strict',
  'none.normal/kerberos-login-in-two-packets', 'none.normal/ntlm-ipv6-vlan', 'none.mars-close/benign-reset',
  'server.login-stalled/encrypted-until-reset', 'client.login-refused/4060-login-encrypted',
  'client.abort/reset-in-answer', 'server.not-listening/many-clients', 'unknown.cut-off/ends-in-tls-handshake',
)
LABELLED = (
  'normal/1', 'login-failed/2', 'mars-benign-reset/1', 'client-abort/2', 'server-login-late/1',
  'network-loss/1', 'server-crash-mid-login/2', 'normal/2', 'no-pooling/2', 'one-direction-only/2',
)
MAX_SOURCE_BYTES = 600_000
PREFIXES_NEAR_BORDERS = 120
PREFIXES_AT_RANDOM = 60
LARGE_BYTES = 9_000_000
CERTIFICATES_SHOWN, CERTIFICATE_NAME = 5_000, b'SSL_Self_Signed_Fallback'
LISTED_LOOKUPS = 100_000  # NAME_LOOKUPS_MAX
LOGIN_FACTS = (
  'stage', 'encrypted', 'tls_version', 'cipher', 'tds_version', 'client_host', 'application', 'library', 'user',
  'database', 'server_name', 'server_version', 'connection_id', 'authentication', 'error',
)


class Source:
  """A capture to try the properties on, with what the tool says of it unchanged."""

  def __init__(self, name, path):
    self.name = name
    self.path = path
    self.capture = read_capture(path)
    self.report = None

  def base(self, tool, folder):
    """The report on the capture as this test rewrites it, so that only the property's change is compared."""
    if self.report is None:
      path = folder / 'base.pcapng'
      packets.write_capture(path, self.capture)
      self.report = diagnose(tool, [path])
    return self.report


def skip(tap, name, why):
  tap.number += 1
  print(f'ok {tap.number} - {name} # SKIP {why}')


def identity(conversation):
  client, server = conversation.get('client', {}), conversation.get('server', {})
  return (client.get('address'), client.get('port'), server.get('address'), server.get('port'),
      conversation.get('start'))


def facts(report, choose):
  """identity -> chosen facts, for each conversation."""
  return {identity(c): choose(c) for c in report.get('conversations', [])}


def without(keys, value):
  """The value without the members of these names, at any depth."""
  if isinstance(value, dict):
    return {k: without(keys, v) for k, v in value.items() if k not in keys}
  return [without(keys, v) for v in value] if isinstance(value, list) else value


def session_facts(conversation):
  """What requests and MARS sessions say, but for times."""
  out = {name: conversation.get(name) for name in ('spid', 'routed_to')}
  for group, names in (('requests', ('count', 'answered', 'rows', 'answers_not_walked', 'errors_not_read', 'last')),
                       ('mars_sessions', ('opened', 'closed', 'not_followed'))):
    out[group] = {name: conversation.get(group, {}).get(name) for name in names}
  return out


BY_TOKENS = ('login-answer', 'login-ack', 'login-error')  # one stands for another when a token is cut off
WHERE = ('capture', 'frame', 'time')


def choose_login(conversation):
  """Only where the login may be seen: mid-stream TDS is recognised by packets that begin with a segment."""
  login = conversation.get('login', {})
  if login.get('stage') in (None, 'unknown'):
    return {}
  out = {name: login.get(name) for name in LOGIN_FACTS}
  return {**out, **session_facts(conversation), 'messages': conversation.get('messages'),
      'mars': conversation.get('mars'), 'errors': without(WHERE, conversation.get('errors')),
      'tls': without(WHERE, conversation.get('tls'))}


def choose_steps(conversation):
  login, messages = conversation.get('login', {}), conversation.get('messages', {})
  out = {name: conversation.get(name) for name in ('protocol', 'ending', 'closed_first_by', 'cause')}
  out['steps'] = {name: messages.get(name) for name in ('prelogin', 'login', 'sspi', 'attention')}
  out['timeline'] = [(step['step'], step.get('from'), step['time']) for step in login.get('timeline', ())
      if step['step'] not in BY_TOKENS]
  out['requests'] = {name: conversation.get('requests', {}).get(name) for name in ('count', 'answered')}
  return {**out, 'stage': login.get('stage'), 'encrypted': login.get('encrypted')}


def choose_causes(conversation):
  return {name: conversation.get(name) for name in ('cause', 'culprit', 'retransmits', 'keep_alives', 'ending')}


def choose_all(conversation):
  """Everything but the numbers and indexes that depend on which file a packet stands in."""
  kept = {k: v for k, v in conversation.items() if k not in ('id', 'evidence', 'seen_in', 'display_filter')}
  return without(('capture', 'frame'), kept)


def compare(before, after):
  out = [f'{key}: only before the change' for key in before if key not in after]
  out += [f'{key}: only after the change' for key in after if key not in before]
  for key in before:
    if key in after and before[key] != after[key]:
      out.append(f'{key}:')
      out += difference(before[key], after[key])
  return out[:20]


def difference(before, after):
  return [f'  {n}: {json.dumps(before.get(n))} became {json.dumps(after.get(n))}'
      for n in sorted({*before, *after}) if before.get(n) != after.get(n)]


def check_same(tap, tool, source, folder, name, changed, choose):
  """One test point: the tool says the same of the changed captures (a list of them: chained files)."""
  base_run, base = source.base(tool, folder)
  if base is None:
    tap.case(name, ['unchanged capture: ' + base_run.complaint])
    return
  paths = []
  for number, capture in enumerate(changed if isinstance(changed, list) else [changed]):
    paths.append(folder / f'changed-{number}.pcapng')
    packets.write_capture(paths[-1], capture)
  run, report = diagnose(tool, paths)
  if report is None or run.died:
    tap.case(name, [run.complaint])
    return
  wrong = compare(facts(base, choose), facts(report, choose))
  tap.case(name, wrong)


def test_resegment(tap, tool, source, folder):
  capture = source.capture
  cuttings = {
    'random pieces': packets.split_segments(capture, largest=700),
    'pieces of up to 7 bytes': packets.split_segments(capture, largest=7, until_bytes=1500),
    'joined': packets.join_segments(capture),
  }
  for label, changed in cuttings.items():
    check_same(tap, tool, source, folder, f'resegment, {label}: {source.name}', changed, choose_login)


def test_snaplen(tap, tool, source, folder):
  changed = packets.truncate(source.capture, 180)
  check_same(tap, tool, source, folder, f'snaplen 180: {source.name}', changed, choose_steps)


def test_duplicate(tap, tool, source, folder):
  changed = packets.duplicate(source.capture)
  check_same(tap, tool, source, folder, f'duplicate: {source.name}', changed, choose_causes)


def test_order(tap, tool, source, folder):
  three = packets.parts(source.capture, 3)
  if len(three) < 3 or not packets.follow_each_other(three):
    return
  for label, order in (('in order', (0, 1, 2)), ('2 0 1', (2, 0, 1)), ('reversed', (2, 1, 0))):
    changed = [three[i] for i in order]
    check_same(tap, tool, source, folder, f'chained files, {label}: {source.name}', changed, choose_all)


def test_poor(tap, tool, source, folder):
  capture = source.capture
  _, base = source.base(tool, folder)
  healthy = {identity(c) for c in (base or {}).get('conversations', []) if c['culprit'] == 'none'}
  ends = {key[:4] for key in healthy}
  ways = {
    'every hundredth missing': packets.thin(capture, 0.01), 'every twentieth missing': packets.thin(capture, 0.05),
    'recorded up to 0.2 ms late': packets.shuffle(capture, 200_000),
    'written up to 20 ms late': packets.unsorted(capture, 20_000_000), 'first FINs missing': packets.without_first_fins(capture),
    'copied 0.5 ms later': packets.duplicate(capture, 500_000),
  }
  for label, changed in ways.items():
    path = folder / 'poor.pcapng'
    packets.write_capture(path, changed)
    run, report = diagnose(tool, [path])
    if report is None or run.died:
      tap.case(f'poor, {label}: {source.name}', [run.complaint])
      continue
    blamed = [f'{identity(c)}: {c["cause"]} ({c["culprit"]}, {c["confidence"]})' for c in report['conversations']
              if identity(c)[:4] in ends and c['culprit'] in ('client', 'server', 'network')]
    tap.case(f'poor, {label}: {source.name}', blamed)


THREADS = ('1', '2', '7')


def check_threads(tap, tool, name, arguments):
  runs = [run_tool(tool, ['diagnose', '--format', 'json', '--threads', number, *arguments]) for number in THREADS]
  wrong = [f'{number} threads: {run.complaint}' for number, run in zip(THREADS, runs)
           if run.died or (run.status, run.out) != (runs[0].status, runs[0].out)]
  tap.case(name, wrong)
  return runs[0]


def test_threads(tap, tool, source, folder):
  check_threads(tap, tool, f'threads: {source.name}', [source.path])
  fragments = packets.fragment(source.capture)
  for name, changed in (('fragments', fragments), ('parts', packets.parts(source.capture, 2)),
                        ('parts of fragments', packets.parts(fragments, 2))):
    paths = [folder / f'{name}-{number}.pcapng' for number in range(2)]
    for path, capture in zip(paths, changed if isinstance(changed, list) else [changed]):
      packets.write_capture(path, capture)
    check_threads(tap, tool, f'threads, {name}: {source.name}', [path for path in paths if path.exists()])


def test_threads_of_pairs(tap, tool):
  """Both ends' captures are read a second time, side by side."""
  for folder in sorted((HERE.parent / 'lab_captures').iterdir()):
    paths = {side: folder / f'{side}.pcapng' for side in ('client', 'server')}
    if all(path.exists() for path in paths.values()):
      check_threads(tap, tool, f'threads, both ends: {folder.name}', capture_arguments(paths))


def test_threads_of_much(tap, tool, source, folder):
  """More than one buffer and one round of batches hold."""
  capture = packets.repeat(source.capture, 1 + LARGE_BYTES // source.path.stat().st_size)
  for name, changed in (('large', capture), ('large, of fragments', packets.fragment(capture))):
    path = folder / 'large.pcapng'
    packets.write_capture(path, changed)
    check_threads(tap, tool, f'threads, {name}: {source.name}', [path])


def test_threads_of_a_pipe(tap, tool, source):
  """What is read once is divided, too."""
  piped = source.path.read_bytes()
  runs = [run_tool(tool, ['diagnose', '--format', 'json', '--threads', number, '-'], piped=piped) for number in THREADS]
  wrong = [f'{number} threads: {run.complaint}' for number, run in zip(THREADS, runs)
           if run.died or not run.out or (run.status, run.out) != (runs[0].status, runs[0].out)]
  tap.case(f'threads, piped: {source.name}', wrong)


def test_threads_of_notes(tap, tool, folder):
  """What the reading thread notes and what those note that follow the packets stand in one order: here a damaged TCP header soon
  after the first name lookup that is not listed."""
  client, server = '192.0.2.1', '192.0.2.2'
  frames = [udp((client, 20000 + number % 30000), (server, 53), dns_message(number & 0xFFFF, 'host', 'A'), ttl=64)
            for number in range(LISTED_LOOKUPS + 2000)]
  damaged = struct.pack('!2H2I2B3H2H', 50000, 1433, 1, 0, 0x60, 2, 1000, 0, 0, 0x0209, 0)
  frames[LISTED_LOOKUPS + 700] = ip_header(client, server, 6, damaged, ttl=64)
  path = folder / 'notes.pcapng'
  records = [packets.Record(number * 10_000, frame, len(frame)) for number, frame in enumerate(frames)]
  packets.write_capture(path, packets.Capture([101], records))
  check_threads(tap, tool, 'threads, notes', [path])
  other = folder / 'notes-of-the-server.pcapng'
  packets.write_capture(other, packets.Capture([101], [replace(r, time_ns=r.time_ns + 5_000) for r in records[1000:]]))
  check_threads(tap, tool, 'threads, notes of both ends', ['--client', path, '--server', other])


def test_threads_of_certificates(tap, tool, source, folder):
  """More certificates than are kept, each shown once: which ones are kept depends on no thread."""
  records = source.capture.records
  shown = next(number for number, record in enumerate(records) if CERTIFICATE_NAME in record.frame)
  many = []
  for number in range(CERTIFICATES_SHOWN):
    for record in records[: shown + 1]:
      frame = bytearray(record.frame.replace(CERTIFICATE_NAME, b'%0*d' % (len(CERTIFICATE_NAME), number)))
      ip = packets.link_header_bytes(source.capture.interfaces[record.interface], record.frame)
      ports = ip + (frame[ip] & 15) * 4
      client = ports + 2 * (struct.unpack_from('!H', frame, ports)[0] == 1433)
      struct.pack_into('!H', frame, client, 20000 + number)
      many.append(replace(record, frame=bytes(frame), time_ns=record.time_ns + number * 50_000_000))
  path = folder / 'certificates.pcapng'
  packets.write_capture(path, replace(source.capture, records=many))
  cut = check_threads(tap, tool, 'threads, certificates', [path]).out.count('"certificates_cut"')
  tap.case('threads, certificates: some are not kept', [] if 0 < cut < CERTIFICATES_SHOWN else [f'{cut} of {CERTIFICATES_SHOWN}'])


def prefix_lengths(data, chance):
  """Every length near the first borders, and some at random."""
  borders = block_borders(data)
  near = {b + d for b in borders for d in (-1, 0, 1, 3, 4, 8, 12, 20, 28)}
  near = sorted(n for n in near if 0 <= n < len(data))
  chosen = set(near[: PREFIXES_NEAR_BORDERS // 2])
  chosen.update(chance.sample(near, min(len(near), PREFIXES_NEAR_BORDERS // 2)))
  chosen.update(chance.randrange(len(data)) for _ in range(PREFIXES_AT_RANDOM))
  return sorted(chosen)


def test_prefix(tap, tool, source, folder):
  data = pathlib.Path(source.path).read_bytes()
  path = folder / 'prefix.pcapng'
  wrong = []
  for length in prefix_lengths(data, random.Random(7)):
    path.write_bytes(data[:length])
    run, report = diagnose(tool, [path])
    nothing = run.status == 4 and not run.out.strip()
    if run.died or run.status not in (0, 3, 4) or (report is None and not nothing):
      wrong.append(f'the first {length} bytes: {run.complaint}')
  tap.case(f'prefix: {source.name}', wrong[:5])


PROPERTIES = {
  'resegment': test_resegment, 'snaplen': test_snaplen, 'duplicate': test_duplicate, 'order': test_order,
  'poor': test_poor, 'threads': test_threads,
}


def scene_sources(folder):
  for name in SCENES:
    paths = write_scene(load(HERE.parent / 'scenes' / f'{name}.scene'), folder / name)
    for path in paths.values():
      yield Source('scene ' + name, path)


def shared_sources():
  paths = sorted((SHARED / 'real' / '1-tds').glob('*'))
  paths += [SHARED / 'labelled' / name / 'client.pcapng' for name in LABELLED]
  for path in paths:
    if path.is_file() and path.stat().st_size <= MAX_SOURCE_BYTES:
      source = Source(str(path.relative_to(SHARED)), path)
      if source.capture and source.capture.records and packets.has_acknowledgements(source.capture):
        yield source


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--tdscope', required=True, help='the program to test')
  parser.add_argument('--only', default='', help='resegment, prefix, snaplen, duplicate, poor, threads or order')
  parser.add_argument('--seconds', type=float, default=240, help='begin no capture of ../shared after this time')
  arguments = parser.parse_args()
  tool = pathlib.Path(arguments.tdscope).resolve()
  tap, end = Tap(), time.monotonic() + arguments.seconds
  with tempfile.TemporaryDirectory(prefix='tdscope-property-') as name:
    folder = pathlib.Path(name)
    sources = list(scene_sources(folder))
    shared = list(shared_sources())
    if not shared:
      skip(tap, 'captures of ../shared', 'they are not there')
    for source in sources + shared:
      for label, test in PROPERTIES.items():
        if arguments.only not in ('', label):
          continue
        if source in shared and time.monotonic() > end:
          skip(tap, f'{label}: {source.name}', 'out of time')
          continue
        test(tap, tool, source, folder)
    if arguments.only in ('', 'threads'):
      test_threads_of_much(tap, tool, sources[0], folder)
      test_threads_of_pairs(tap, tool)
      test_threads_of_a_pipe(tap, tool, sources[0])
      test_threads_of_notes(tap, tool, folder)
      test_threads_of_certificates(tap, tool, next(s for s in sources if s.name.endswith('login-encrypted')), folder)
    if arguments.only in ('', 'prefix'):
      for source in [sources[0], sources[6], *shared[:1]]:
        test_prefix(tap, tool, source, folder)
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
