#!/usr/bin/env python3
"""Compares what tdscope says of DNS and Kerberos with tshark, over the captures of authentication and names, as TAP.

dns messages: how many of each direction, and the names and types asked. dns answers: response codes and the time from a
question to its first answer. dns unanswered: transactions without an answer. kerberos messages: how many of each type, and
error codes. kerberos services: the SPN of each request stands in its frame.

Differences that are known, with the reason, are listed in around_known.tsv; one that is listed and no longer occurs is
an error. --differences prints what would have to be listed.

  tests/differential/around.py --tdscope build/tdscope
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True
from captures import FOLDER, all_captures
from tap import Tap, skip_all

KNOWN = HERE / 'around_known.tsv'
GROUP = '7-auth-dns/'
TIMEOUT_S = 300
SHOWN = 8
BETWEEN = '\x1f'  # between several values of one field

DNS_FIELDS = ('frame.number', 'dns.id', 'dns.flags.response', 'dns.qry.name', 'dns.qry.type', 'dns.flags.rcode',
              'dns.time', 'dns.response_in')
KERBEROS_FIELDS = ('frame.number', 'kerberos.msg_type', 'kerberos.SNameString', 'kerberos.error_code')
DNS_FILTER = 'dns && (udp.port == 53 || tcp.port == 53) && !icmp && !icmpv6'
KERBEROS_FILTER = 'kerberos && (udp.port == 88 || tcp.port == 88) && !icmp && !icmpv6'

TYPES = {'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28, 'SRV': 33, 'NAPTR': 35,
         'DS': 43, 'RRSIG': 46, 'NSEC': 47, 'DNSKEY': 48, 'SVCB': 64, 'HTTPS': 65, 'TKEY': 249, 'TSIG': 250, 'IXFR': 251,
         'AXFR': 252, 'ANY': 255, 'CAA': 257}
RCODES = {name: number for number, name in enumerate(
  'NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI'.split())}
REQUEST_TYPES = {'as': 10, 'tgs': 12}
ESCAPE = re.compile(r'\\\d{3}')  # how tshark writes a byte that is not printable
EXCHANGE_TYPES = {10, 11, 12, 13, 30}


def run(command, environment=None):
  return subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=TIMEOUT_S,
                        stdin=subprocess.DEVNULL, env=environment)


class Wireshark:
  """What tshark says of a file, remembered by the file's content, the questions and Wireshark's version."""

  def __init__(self, cache):
    self.cache = cache
    self.cache.mkdir(parents=True, exist_ok=True)
    settings = cache / 'no-settings'
    settings.mkdir(exist_ok=True)
    self.environment = dict(os.environ, LC_ALL='C', WIRESHARK_CONFIG_DIR=str(settings))
    self.version = run(['tshark', '--version'], self.environment).stdout.split('\n')[0]

  def fields(self, path, display_filter, fields):
    command = ['tshark', '-n', '-2', '-Y', display_filter, '-T', 'fields', '-E', 'occurrence=a', '-E',
               f'aggregator={BETWEEN}', '-o', 'kerberos.decrypt:FALSE']
    for field in fields:
      command += ['-e', field]
    key = repr((self.version, command)).encode() + path.read_bytes()
    remembered = self.cache / f'{hashlib.sha256(key).hexdigest()}.around.json'
    if remembered.exists():
      return json.loads(remembered.read_text())
    answer = run([*command, '-r', str(path)], self.environment)
    rows = [[value.split(BETWEEN) if value else [] for value in line.split('\t')]
            for line in answer.stdout.splitlines()]
    unfinished = remembered.with_suffix('.new')
    unfinished.write_text(json.dumps(rows))
    unfinished.replace(remembered)
    return rows


def as_type(name):
  return int(name[4:]) if name.startswith('TYPE') else TYPES[name]


def as_rcode(name):
  return int(name[5:]) if name.startswith('RCODE') else RCODES[name]


def plain(name):
  """A name without what programs write differently: case, the root, what is not printable."""
  name = '' if name in ('<Root>', '.') else ESCAPE.sub('', name.lower())
  return ''.join(letter for letter in name if 33 <= ord(letter) < 127)


class Names:
  """DNS as counters: one view of tshark's fields, one of tdscope's JSON."""

  def __init__(self):
    self.directions = collections.Counter()
    self.asked = collections.Counter()
    self.rcodes = collections.Counter()
    self.times = collections.Counter()
    self.unanswered = collections.Counter()

  @classmethod
  def of_tshark(cls, rows):
    names = cls()
    for frame, ids, responses, asked, types, rcodes, times, answered_in in rows:
      names.directions.update('answer' if response in ('1', 'True') else 'question' for response in responses)
      names.rcodes.update(int(rcode) for rcode in rcodes)
      names.times.update(round(float(time) * 1e6) for time in times)
      if '0' in responses or 'False' in responses:
        if len(responses) == 1:
          names.asked.update(list(zip(map(plain, asked), (int(number, 0) for number in types)))[:1])
        else:
          names.asked.update(zip(map(plain, asked), (int(number, 0) for number in types)))
        if not answered_in:
          names.unanswered.update(int(number, 0) for number in ids)
    return names

  @classmethod
  def of_tdscope(cls, lookups):
    names = cls()
    for lookup in lookups:
      if lookup['service'] != 'dns':
        continue
      names.directions['question'] += lookup['tries']
      names.directions['answer'] += lookup['answers']
      if 'name' in lookup and lookup['tries']:
        names.asked[plain(lookup['name']), as_type(lookup['type'])] += lookup['tries']
      if 'rcode' in lookup:
        names.rcodes[as_rcode(lookup['rcode'])] += lookup['answers']
      if 'wait_s' in lookup:
        names.times[round(lookup['wait_s'] * 1e6)] += 1
      if not lookup['answers']:
        names.unanswered[lookup['transaction']] += lookup['tries']
    for counter in (names.directions, names.asked, names.unanswered):
      counter += collections.Counter()
    return names


class Tickets:
  """Kerberos as counters, and the names of services by frame."""

  def __init__(self):
    self.types = collections.Counter()
    self.errors = collections.Counter()
    self.services = collections.defaultdict(str)

  @classmethod
  def of_tshark(cls, rows):
    tickets = cls()
    for (frame,), types, services, errors in rows:
      tickets.types.update(int(number) for number in types if int(number) in EXCHANGE_TYPES)
      tickets.errors.update(int(number) for number in errors)
      tickets.services[int(frame)] += '/' + '/'.join(services) + '/'
    return tickets

  @classmethod
  def of_tdscope(cls, requests):
    tickets = cls()
    for request in requests:
      kind = REQUEST_TYPES.get(request.get('kind'))
      if kind and request['tries']:
        tickets.types[kind] += request['tries']
      if 'error' in request:
        tickets.types[30] += request['answers']
        tickets.errors[request['error']['code']] += request['answers']
      elif request['answers']:
        tickets.types[kind + 1] += request['answers']
      if 'asked' in request:
        tickets.services[request['asked']['frame']] += '/' + request.get('spn', '') + '/'
    return tickets


def differences(what, theirs, ours):
  for who, left in (('only tshark', theirs - ours), ('only tdscope', ours - theirs)):
    for key, times in sorted(left.items(), key=str)[:SHOWN]:
      yield f'{what}, {who}: {key}' + (f', {times} times' if times > 1 else '')
    if len(left) > SHOWN:
      yield f'{what}, {who}: {len(left) - SHOWN} more'


def services_missing(theirs, ours):
  for frame, service in ours.services.items():
    for name in filter(None, service.split('//')):
      name = '/' + name.strip('/') + '/'
      if name not in theirs.services[frame]:
        yield f'frame {frame}: tdscope says {name}, tshark {theirs.services[frame]}'


def examine(wireshark, tdscope, name):
  """[(what, complaints)] of one capture."""
  path = FOLDER / name
  try:
    report = run([tdscope, 'diagnose', '--format', 'json', str(path)])
    if not report.stdout.strip():
      return [('read', [report.stderr.strip() or f'exit status {report.returncode}'])]
    report = json.loads(report.stdout)
    their_names = Names.of_tshark(wireshark.fields(path, DNS_FILTER, DNS_FIELDS))
    our_names = Names.of_tdscope(report.get('name_lookups', []))
    their_tickets = Tickets.of_tshark(wireshark.fields(path, KERBEROS_FILTER, KERBEROS_FIELDS))
    our_tickets = Tickets.of_tdscope(report.get('tickets', []))
  except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError) as error:
    return [('run', [f'{type(error).__name__}: {error}'])]
  return [
    ('dns messages', [*differences('messages', their_names.directions, our_names.directions),
                      *differences('asked', their_names.asked, our_names.asked)]),
    ('dns answers', [*differences('response code', their_names.rcodes, our_names.rcodes),
                     *differences('microseconds', their_names.times, our_names.times)]),
    ('dns unanswered', list(differences('transaction', their_names.unanswered, our_names.unanswered))),
    ('kerberos messages', [*differences('type', their_tickets.types, our_tickets.types),
                           *differences('error', their_tickets.errors, our_tickets.errors)]),
    ('kerberos services', list(services_missing(their_tickets, our_tickets))),
  ]


def read_known():
  """{(file, what): reason}"""
  known = {}
  for line in KNOWN.read_text(encoding='utf-8').splitlines() if KNOWN.exists() else []:
    if line and not line.startswith('#'):
      name, what, reason = line.split('\t')
      known[name, what] = reason
  return known


def main():
  options = argparse.ArgumentParser(description='Compares DNS and Kerberos facts with tshark.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--cache', type=pathlib.Path, default=pathlib.Path('build-test/tshark-answers'))
  options.add_argument('--differences', action='store_true', help='print lines for around_known.tsv instead of TAP')
  options.add_argument('captures', nargs='*', help='only these, named as below the folder of captures')
  options = options.parse_args()
  names = options.captures or [name for name in all_captures() if name.startswith(GROUP)]
  if not names:
    skip_all(f'no captures in {os.path.relpath(FOLDER)}/{GROUP}')
  if not shutil.which('tshark'):
    skip_all('no tshark to compare with')
  known = read_known()
  wireshark = Wireshark(options.cache)
  tap = Tap()
  seen = set()
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    outcomes = pool.map(lambda name: examine(wireshark, options.tdscope, name), names)
    for name, outcome in zip(names, outcomes):
      for what, complaints in outcome:
        seen.add((name, what))
        reason = known.get((name, what))
        if options.differences:
          if complaints:
            print(name, what, reason or '; '.join(complaints), sep='\t')
        elif reason and not complaints:
          tap.case(f'{name}: {what}', [f'{KNOWN.name} lists a difference that no longer occurs: {reason}'])
        else:
          tap.case(f'{name}: {what}', complaints, todo=reason)
  if options.differences:
    return 0
  if not options.captures:
    tap.case(f'{KNOWN.name} names only what is there', [' '.join(line) for line in known if line not in seen])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
