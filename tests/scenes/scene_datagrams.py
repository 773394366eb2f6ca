"""Datagrams around a login: DNS (RFC 1035) and the SQL Server Browser (MC-SQLR), in UDP (RFC 768) over IPv4 or IPv6."""

import ipaddress
import struct

from scene_tcp import ones_complement_sum

DNS_TYPES = {4: 1, 6: 28}  # A, AAAA
SSRP_BROADCAST, SSRP_ALL, SSRP_INSTANCE, SSRP_RESPONSE = 2, 3, 4, 5


def dns_message(options):
  """A question, or with answer= or rcode= what the server says to it."""
  name = b''.join(bytes([len(part)]) + part.encode() for part in options['name'].split('.')) + b'\0'
  answers = [ipaddress.ip_address(text) for text in options.get('answer', '').split(',') if text]
  kind = DNS_TYPES[answers[0].version if answers else 4]
  is_answer = bool(answers) or 'rcode' in options
  flags = (0x8180 | int(options.get('rcode', '0'))) if is_answer else 0x0100
  out = struct.pack('!HHHHHH', int(options.get('id', '1')), flags, 1, len(answers), 0, 0)
  out += name + struct.pack('!HH', kind, 1)
  for address in answers:
    out += struct.pack('!HHHIH', 0xC00C, kind, 1, 60, len(address.packed)) + address.packed
  return out


def ssrp_message(options, flags):
  """`instance=NAME`, `all` or `broadcast` ask; `answer="ServerName;..."` answers (MC-SQLR 2.2)."""
  if 'answer' in options:
    text = options['answer'].encode()
    return struct.pack('<BH', SSRP_RESPONSE, len(text)) + text
  if 'instance' in options:
    return bytes([SSRP_INSTANCE]) + options['instance'].encode() + b'\0'
  return bytes([SSRP_BROADCAST if 'broadcast' in flags else SSRP_ALL])


def udp_packet(source, destination, payload, ip_id):
  """source, destination: (address, port). The IP packet as its sender sends it."""
  here, there = (ipaddress.ip_address(end[0]).packed for end in (source, destination))
  length = 8 + len(payload)
  pseudo = here + there + (struct.pack('!BBH', 0, 17, length) if len(here) == 4 else struct.pack('!II', length, 17))
  head = struct.pack('!HHHH', source[1], destination[1], length, 0)
  checksum = ~ones_complement_sum(pseudo + head + payload) & 0xFFFF or 0xFFFF
  datagram = head[:6] + struct.pack('!H', checksum) + payload
  if len(here) == 16:
    return struct.pack('!IHBB', 0x60000000, len(datagram), 17, 128) + here + there + datagram
  head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(datagram), ip_id, 0, 128, 17, 0) + here + there
  return head[:10] + struct.pack('!H', ~ones_complement_sum(head) & 0xFFFF) + head[12:] + datagram
