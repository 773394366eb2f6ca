#!/usr/bin/env python3
"""Compares what tdscope says of DNS and Kerberos with tshark, over the captures of authentication and names, as TAP.

All of it between the same two ends. dns messages: how many of each direction, and the names and types asked. dns answers:
response codes, the time from a question to its first answer, and the addresses. dns unanswered: transactions without an
answer. kerberos messages: how many of each type, and error codes. kerberos services: the SPN of each request stands in its
frame, and each request that has one is known with it.

Differences that are known, with the reason, are listed in around_known.tsv; one that is listed and no longer occurs is
an error. --differences prints what would have to be listed.

  tests/differential/around.py --tdscope build/tdscope
"""
import collections
import concurrent.futures
import ipaddress
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True
from captures import FOLDER, all_captures
from known_differences import KnownDifferences
from tap import Tap
from wireshark import Wireshark, read_options, run, skip_unless_comparable

KNOWN = HERE / 'around_known.tsv'
GROUP = '7-auth-dns/'

ENDS = ('ip.src', 'ipv6.src', 'udp.srcport', 'tcp.srcport', 'ip.dst', 'ipv6.dst', 'udp.dstport', 'tcp.dstport')
DNS_FIELDS = ('frame.number', 'dns.id', 'dns.flags.response', 'dns.qry.name', 'dns.qry.type', 'dns.flags.rcode',
              'dns.time', 'dns.response_in', 'dns.a', 'dns.aaaa', 'dns.resp.type', 'dns.count.answers',
              'dns.count.auth_rr', 'dns.count.add_rr', *ENDS)
KERBEROS_FIELDS = ('frame.number', 'kerberos.msg_type', 'kerberos.SNameString', 'kerberos.error_code', *ENDS)
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


def as_type(name):
  return int(name[4:]) if name.startswith('TYPE') else TYPES[name]


def as_rcode(name):
  return int(name[5:]) if name.startswith('RCODE') else RCODES[name]


def plain(name):
  """A name without what programs write differently: case, the root, what is not printable."""
  name = '' if name in ('<Root>', '.') else ESCAPE.sub('', name.lower())
  return ''.join(letter for letter in name if 33 <= ord(letter) < 127)


def ends_of_row(ip_src, ipv6_src, udp_src, tcp_src, ip_dst, ipv6_dst, udp_dst, tcp_dst):
  """"10.0.0.1:50000 - 10.0.0.9:53", the innermost of tunnels"""
  ends = ((ip_src or ipv6_src, udp_src or tcp_src), (ip_dst or ipv6_dst, udp_dst or tcp_dst))
  return ends_text((address[-1], port[-1]) for address, port in ends)


def ends_text(ends):
  ends = sorted((str(ipaddress.ip_address(address)), int(port)) for address, port in ends)
  return ' - '.join(f'{address}:{port}' for address, port in ends)


def ends_of_exchange(exchange):
  return ends_text((exchange[side]['address'], exchange[side]['port']) for side in ('client', 'server'))


def with_ends(ends, values):
  return ((ends, value) for value in values)


def addresses_answered(v4, v6, records, counts):
  """The addresses of the answer sections only: others stand beside name servers."""
  kinds = [int(kind, 0) for kind in records]
  left = {TYPES['A']: list(v4), TYPES['AAAA']: list(v6)}
  for answers, *others in zip(*([int(count, 0) for count in column] for column in counts)):
    for number, kind in enumerate(kinds[:answers + sum(others)]):
      if left.get(kind):
        address = left[kind].pop(0)
        if number < answers:
          yield str(ipaddress.ip_address(address))
    kinds = kinds[answers + sum(others):]


class Names:
  """DNS as counters: one view of tshark's fields, one of tdscope's JSON."""

  def __init__(self):
    self.directions = collections.Counter()
    self.asked = collections.Counter()
    self.rcodes = collections.Counter()
    self.times = collections.Counter()
    self.unanswered = collections.Counter()
    self.addresses = set()
    self.more_addresses = set()  # ends between which tdscope knows of more than it keeps

  @classmethod
  def of_tshark(cls, rows):
    names = cls()
    for _, ids, responses, asked, types, rcodes, times, answered_in, v4, v6, records, *counts_and_ends in rows:
      counts, ends = counts_and_ends[:3], ends_of_row(*counts_and_ends[3:])
      names.directions.update(with_ends(ends, ('answer' if response in ('1', 'True') else 'question'
                                               for response in responses)))
      names.rcodes.update(with_ends(ends, (int(rcode) for rcode in rcodes)))
      names.times.update(with_ends(ends, (round(float(time) * 1e6) for time in times)))
      if '1' in responses or 'True' in responses:
        names.addresses.update(with_ends(ends, addresses_answered(v4, v6, records, counts)))
      if '0' in responses or 'False' in responses:
        questions = list(zip(map(plain, asked), (int(number, 0) for number in types)))
        names.asked.update(with_ends(ends, questions[:1] if len(responses) == 1 else questions))
        if not answered_in:
          names.unanswered.update(with_ends(ends, (int(number, 0) for number in ids)))
    return names

  @classmethod
  def of_tdscope(cls, lookups):
    names = cls()
    for lookup in lookups:
      if lookup['service'] != 'dns':
        continue
      ends = ends_of_exchange(lookup)
      names.directions[ends, 'question'] += lookup['tries']
      names.directions[ends, 'answer'] += lookup['answers']
      names.addresses.update(with_ends(ends, lookup.get('addresses', ())))
      if lookup.get('addresses_beyond'):
        names.more_addresses.add(ends)
      if 'name' in lookup and lookup['tries']:
        names.asked[ends, (plain(lookup['name']), as_type(lookup['type']))] += lookup['tries']
      if 'rcode' in lookup:
        names.rcodes[ends, as_rcode(lookup['rcode'])] += lookup['answers']
      if 'wait_s' in lookup:
        names.times[ends, round(lookup['wait_s'] * 1e6)] += 1
      if not lookup['answers']:
        names.unanswered[ends, lookup['transaction']] += lookup['tries']
    for counter in (names.directions, names.asked, names.unanswered):
      counter += collections.Counter()
    return names


class Tickets:
  """Kerberos as counters, and the names of services by frame."""

  def __init__(self):
    self.types = collections.Counter()
    self.errors = collections.Counter()
    self.services = collections.defaultdict(str)
    self.requests = []  # tshark: (ends, type, frame); tdscope: (ends, type, SPN)

  @classmethod
  def of_tshark(cls, rows):
    tickets = cls()
    for (frame,), types, services, errors, *row_ends in rows:
      ends, types = ends_of_row(*row_ends), [int(number) for number in types]
      tickets.types.update(with_ends(ends, (number for number in types if number in EXCHANGE_TYPES)))
      tickets.errors.update(with_ends(ends, (int(number) for number in errors)))
      tickets.services[int(frame)] += '/' + '/'.join(services) + '/'
      if services:
        tickets.requests += [(ends, number, int(frame)) for number in types if number in REQUEST_TYPES.values()]
    return tickets

  @classmethod
  def of_tdscope(cls, requests):
    tickets = cls()
    for request in requests:
      ends, kind = ends_of_exchange(request), REQUEST_TYPES.get(request.get('kind'))
      if kind and request['tries']:
        tickets.types[ends, kind] += request['tries']
      if 'error' in request:
        tickets.types[ends, 30] += request['answers']
        tickets.errors[ends, request['error']['code']] += request['answers']
      elif request['answers']:
        tickets.types[ends, kind + 1] += request['answers']
      if 'asked' in request:
        tickets.services[request['asked']['frame']] += '/' + request.get('spn', '') + '/'
      if request['tries'] and request.get('spn'):
        tickets.requests.append((ends, kind, f'/{request["spn"]}/'))
    return tickets


def differences(what, theirs, ours):
  """Counters whose keys are (ends, value), one line for each."""
  for who, left in (('only tshark', theirs - ours), ('only tdscope', ours - theirs)):
    for (ends, value), times in sorted(left.items(), key=str):
      yield f'{ends}: {what}, {who}: {value}' + (f', {times} times' if times > 1 else '')


def services_missing(theirs, ours):
  for frame, service in ours.services.items():
    for name in filter(None, service.split('//')):
      name = '/' + name.strip('/') + '/'
      if name not in theirs.services[frame]:
        yield f'frame {frame}: tdscope says {name}, tshark {theirs.services[frame]}'
  for ends, kind, frame in theirs.requests:
    if not any(their_ends == ends and their_kind == kind and spn in theirs.services[frame]
               for their_ends, their_kind, spn in ours.requests):
      yield f'{ends}: frame {frame}, only tshark: {theirs.services[frame]}'


def examine(wireshark, tdscope, name):
  """[(what, complaints)] of one capture."""
  path = FOLDER / name
  try:
    report = run([tdscope, 'diagnose', '--format', 'json', str(path)])
    if not report.stdout.strip():
      return [('read', [report.stderr.strip().replace(str(path), name) or f'exit status {report.returncode}'])]
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
                     *differences('microseconds', their_names.times, our_names.times),
                     *differences('address', collections.Counter(
                       address for address in their_names.addresses
                       if address[0] not in our_names.more_addresses or address in our_names.addresses),
                                  collections.Counter(our_names.addresses))]),
    ('dns unanswered', list(differences('transaction', their_names.unanswered, our_names.unanswered))),
    ('kerberos messages', [*differences('type', their_tickets.types, our_tickets.types),
                           *differences('error', their_tickets.errors, our_tickets.errors)]),
    ('kerberos services', list(services_missing(their_tickets, our_tickets))),
  ]


def main():
  options = read_options('DNS and Kerberos facts', KNOWN.name)
  names = options.captures or [name for name in all_captures() if name.startswith(GROUP)]
  skip_unless_comparable(names, 'tshark')
  known, wireshark, tap = KnownDifferences(KNOWN), Wireshark(options.cache), Tap()
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    outcomes = pool.map(lambda name: examine(wireshark, options.tdscope, name), names)
    for name, outcome in zip(names, outcomes):
      for what, complaints in outcome:
        if options.differences:
          known.print_lines(name, what, complaints)
        else:
          known.case(tap, name, what, complaints)
  if options.differences:
    return 0
  if not options.captures:
    known.leftovers(tap)
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
