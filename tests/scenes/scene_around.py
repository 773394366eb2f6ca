"""What happens around the conversations of a scene: DNS (RFC 1035), the SQL Server Browser (MC-SQLR), ICMP errors (RFC 792, RFC 4443)."""

import ipaddress
import struct
from dataclasses import dataclass

from scene_tcp import MILLISECOND, ip_packet, ones_complement_sum

TYPES = {'A': 1, 'AAAA': 28}
SSRP_BROADCAST, SSRP_ALL, SSRP_INSTANCE, SSRP_RESPONSE = 2, 3, 4, 5
SERVICES = {'dns': ('10.9.0.53', 53), 'llmnr': ('224.0.0.252', 5355), 'mdns': ('224.0.0.251', 5353)}


@dataclass
class Datagram:
  """A packet that belongs to no conversation, or bytes that are no packet. vantage: the one capture that holds it; None: each."""

  time: int
  data: bytes
  sender: str = ''
  vantage: str | None = None
  runt: bool = False


def ip_header(source, destination, protocol, payload, *, ttl, ip_id=0):
  here, there = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
  if len(here) == 16:
    return struct.pack('!IHBB', 0x60000000, len(payload), protocol, ttl) + here + there + payload
  head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), ip_id, 0, ttl, protocol, 0) + here + there
  return head[:10] + struct.pack('!H', ~ones_complement_sum(head) & 0xFFFF) + head[12:] + payload


def udp(source, destination, body, *, ttl, ip_id=0):
  """source, destination: (address, port). The datagram as its sender sends it (RFC 768)."""
  here, there = (ipaddress.ip_address(end[0]).packed for end in (source, destination))
  length = 8 + len(body)
  pseudo = here + there + (struct.pack('!BBH', 0, 17, length) if len(here) == 4 else struct.pack('!II', length, 17))
  head = struct.pack('!HHH', source[1], destination[1], length)
  checksum = ~ones_complement_sum(pseudo + head + b'\0\0' + body) & 0xFFFF or 0xFFFF
  return ip_header(source[0], destination[0], 17, head + struct.pack('!H', checksum) + body, ttl=ttl, ip_id=ip_id)


def dns_name(name):
  return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'


def dns_message(number, name, kind, *, answers=None, rcode=0):
  """A question; with `answers` the answer to it."""
  flags = 0x0100 if answers is None else 0x8180 | rcode
  out = struct.pack('!HHHHHH', number, flags, 1, len(answers or []), 0, 0) + dns_name(name)
  out += struct.pack('!HH', TYPES[kind], 1)
  for answer in answers or []:
    data = ipaddress.ip_address(answer).packed
    out += struct.pack('!HHHIH', 0xC00C, 28 if len(data) == 16 else 1, 1, 300, len(data)) + data
  return out


def dns_datagram(step):
  """`DNS name= [id=] [type=]` asks; with answer= or rcode= it answers."""
  answers = [a for a in step.get('answer', '').split(',') if a]
  is_answer = bool(answers) or 'rcode' in step.options
  kind = step.get('type', 'AAAA' if answers and ':' in answers[0] else 'A')
  return dns_message(int(step.get('id', '1')), step.options['name'], kind, answers=answers if is_answer else None,
                     rcode=int(step.get('rcode', '0')))


def ssrp_datagram(step):
  """`instance=NAME`, `all` or `broadcast` ask; `answer="ServerName;..."` answers (MC-SQLR 2.2)."""
  if 'answer' in step.options:
    text = step.options['answer'].encode()
    return struct.pack('<BH', SSRP_RESPONSE, len(text)) + text
  if 'instance' in step.options:
    return bytes([SSRP_INSTANCE]) + step.options['instance'].encode() + b'\0'
  return bytes([SSRP_BROADCAST if 'broadcast' in step.flags else SSRP_ALL])


MAKERS = {'DNS': dns_datagram, 'SSRP': ssrp_datagram}


def datagram(scene, source, destination, step, time):
  """`udp FROM TO DNS|SSRP ...`: every capture holds it."""
  data = udp(source, destination, MAKERS[step.verb](step), ttl=128, ip_id=len(scene.around) + 1)
  scene.around.append(Datagram(time, data, source[0]))


def runt(scene, step, time):
  """`runt size=10`: a frame too short to be one."""
  scene.around.append(Datagram(time, bytes(int(step.get('size', '10'))), runt=True))


def lookup(scene, client, name, step, time, duration):
  """`lookup NAME`: the client's questions, and the answer or none. Captures at the client hold them."""
  service = step.get('service', 'dns')
  resolver, port = SERVICES[service]
  resolver = step.get('resolver', resolver)
  kind, number = step.get('type', 'A'), 0x1200 + len(scene.around)
  source_port = 50000 + len(scene.around)
  question = dns_message(number, name, kind)
  ttl = 128 if client.system == 'windows' else 64
  for try_number in range(step.times):
    asked = time + try_number * (step.every or 1000 * MILLISECOND)
    packet = udp((client.address, source_port), (resolver, port), question, ttl=ttl)
    scene.around.append(Datagram(asked, packet, client.address, 'client'))
  if 'unanswered' in step.flags:
    return
  answers = [a for a in step.get('answer', '').split(',') if a]
  body = dns_message(number, name, kind, answers=answers, rcode=int(step.get('rcode', '0')))
  answered = time + duration(step.get('after', '5ms'))
  packet = udp((resolver, port), (client.address, source_port), body, ttl=61)
  scene.around.append(Datagram(answered, packet, resolver, 'client'))


def too_big(reporter, to, quoted, mtu):
  """Fragmentation needed (type 3, code 4), or ICMPv6's Packet Too Big (type 2)."""
  if ipaddress.ip_address(to).version == 6:
    body = struct.pack('!BBHI', 2, 0, 0, mtu) + quoted[:500]
    here, there = ipaddress.ip_address(reporter).packed, ipaddress.ip_address(to).packed
    pseudo = here + there + struct.pack('!II', len(body), 58)
    body = body[:2] + struct.pack('!H', ~ones_complement_sum(pseudo + body) & 0xFFFF) + body[4:]
    return ip_header(reporter, to, 58, body, ttl=62)
  body = struct.pack('!BBHHH', 3, 4, 0, 0, mtu) + quoted[:28]
  body = body[:2] + struct.pack('!H', ~ones_complement_sum(body) & 0xFFFF) + body[4:]
  return ip_header(reporter, to, 1, body, ttl=62)


def ip_packet_of(packet):
  """The bytes of a conversation's packet on its way."""
  return ip_packet(packet, vantage=packet.sender, hops=1, offload=False)
