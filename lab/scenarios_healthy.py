"""Nothing is wrong: nobody may be blamed, however odd it looks."""

import socket
import struct
import threading
import time

import tds
import truth
from lab import scenario
from steps import late_window
from talk import Closed
from truth import DROP, OPEN


@scenario('healthy-mixed')
def healthy_mixed(lab):
  """Every kind of encryption, busy for a while."""
  def one(encryption):
    talk = lab.talk(encryption=encryption).open()
    talk.work(5)
    talk.close()
  lab.run_all(one, ['no', 'login', 'full', 'strict', 'strict', 'login'])


@scenario('healthy-idle-pool')
def healthy_idle_pool(lab):
  """Pooled sessions idle under keep-alives of both ends, then used again, then trimmed together."""
  talks = [lab.talk() for _ in range(5)]
  def one(talk):
    talk.open()
    talk.client.keep_alive(lab.rng.choice([3, 5]))
    talk.server.keep_alive(lab.rng.choice([3, 5]))
    talk.query()
    lab.sleep(18, 26)
    talk.query()
    lab.sleep(2)
  lab.run_all(one, talks)
  lab.run_all(lambda talk: talk.close(), talks)


@scenario('healthy-probes')
def healthy_probes(lab):
  """Port probes and health checks: closed by FIN, by reset, by half-close; once by the server."""
  def probe(how):
    for _ in range(3):
      talk = lab.talk()
      talk.label, talk.variant = truth.label('none.probe', ('none', 'none.normal'), ('none', 'client.gave-up-before-login'),
                                             ('none', 'client.abort')), how
      talk.connect()
      lab.sleep(0, 0.3)
      if how == 'fin':
        talk.close()
      elif how == 'reset':
        talk.client.reset()
        talk.server.read_away(1)
        talk.server.close()
      elif how == 'half':
        talk.client.half_close()
        talk.server.read_away(1)
        lab.sleep(0.4)
        talk.server.close()
        talk.client.read_away(1)
        talk.client.close()
      lab.sleep(1.5, 3)
  lab.run_all(probe, ['fin', 'reset', 'half'])


@scenario('healthy-parallel-connect')
def healthy_parallel_connect(lab):
  """MultiSubnetFailover: connects to two addresses at once; the slower one is let go as soon as the other is there."""
  slow = lab.device.rule('delay', None, 'to_client', seconds=0.12, to_port=14330)
  spare = lab.listener(lab.server2, 14330)
  def dial(number):
    won, lost = lab.talk(), lab.talk(listener=spare)
    lost.label, lost.variant = truth.label('none.probe', ('none', 'none.normal'), ('none', 'client.gave-up-before-login'),
                                           ('none', 'client.abort')), 'losing leg'
    def lose():
      lost.connect()
      if number % 2:
        lost.client.reset()
      else:
        lost.client.close()
      lost.server.read_away(1)
      lost.server.close()
    loser = lab.run_beside(lose)
    won.open()
    won.work(2)
    won.close()
    loser.join(5)
  lab.run_all(dial, range(4))
  lab.device.lift(slow)


@scenario('healthy-reset-closes')
def healthy_reset_closes(lab):
  """Drivers that close with a reset after all is answered; and resets that only follow a FIN."""
  def one(how):
    talk = lab.talk().open()
    talk.work(2)
    lab.sleep(0.3)
    if how == 'reset':
      talk.label = truth.label('none.normal', ('none', 'client.abort'), ('client', 'client.abort'))
      talk.client.reset()
      talk.server.read_away(1)
      talk.server.close()
    elif how == 'late data':  # the server still sends when the client is gone: the client's system resets
      talk.client.close()
      for _ in range(2):
        lab.sleep(0.05)
        try:
          talk.server.send(tds.RESPONSE, tds.done())
        except Closed:
          break
      talk.server.close()
    talk.variant = how
  lab.run_all(one, ['reset', 'late data', 'reset', 'late data'])


@scenario('healthy-port-reuse')
def healthy_port_reuse(lab):
  """One client port used again and again for connections to the same server."""
  port = lab.free_port()
  for _ in range(4):
    talk = lab.talk(port=port, driver=tds.DRIVERS[0]).open()
    talk.query()
    talk.label = truth.label('none.normal', ('none', 'client.abort'), ('client', 'client.abort'))
    talk.client.half_close()
    talk.server.read_away(1)
    talk.client.reset()
    talk.server.close()
    lab.sleep(1, 2.5)


@scenario('healthy-nat', nat='ports')
def healthy_nat(lab):
  """The client's address and port are translated on the way."""
  healthy_mixed(lab)


@scenario('healthy-nat-address', nat='address')
def healthy_nat_address(lab):
  """The client's address is translated, its port kept."""
  healthy_mixed(lab)


@scenario('healthy-randomised-numbers')
def healthy_randomised_numbers(lab):
  """A firewall adds a constant to each direction's sequence numbers."""
  def one(_):
    talk = lab.talk()
    lab.device.shift_numbers(talk.flow, lab.rng.randrange(1 << 32), lab.rng.randrange(1 << 32))
    talk.open()
    talk.work(5)
    talk.close()
  lab.run_all(one, range(4))


@scenario('healthy-clamped', giants=False)
def healthy_clamped(lab):
  """A tunnel on the way clamps the MSS; large answers go through it."""
  lab.device.rule('clamp', mss=1260)
  def one(_):
    talk = lab.talk().open()
    for _ in range(4):
      talk.query(size=60_000)
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-client-starts-late')
def healthy_client_starts_late(lab):
  """The client's capture begins when connections are in the middle of their work."""
  late_window(lab, 'client', 6, None)
  _busy(lab, 12)


@scenario('healthy-server-ends-early')
def healthy_server_ends_early(lab):
  """The server's capture stops while connections work on; more begin after it stopped."""
  late_window(lab, 'server', 0, 6)
  _busy(lab, 12)


@scenario('healthy-server-starts-late')
def healthy_server_starts_late(lab):
  """The server's capture begins late, and ends early."""
  late_window(lab, 'server', 5, 10)
  _busy(lab, 13)


def _busy(lab, seconds):
  def one(number):
    lab.sleep(number * 0.8)
    talk = lab.talk().open()
    talk.work(seconds - number)
    talk.close()
  lab.run_all(one, range(6))


@scenario('healthy-missed-by-capture')
def healthy_missed(lab):
  """One end's capture lost packets: single ones and runs."""
  side = lab.rng.choice(['client', 'server'])
  lab.look.missed[side] = (lab.rng.choice([0.01, 0.03, 0.08]), lab.rng.randint(2, 5))
  _busy(lab, 10)


@scenario('healthy-one-direction')
def healthy_one_direction(lab):
  """One end's capture holds one direction only."""
  side, sender = lab.rng.choice([('client', 'client'), ('client', 'server'), ('server', 'server'), ('server', 'client')])
  lab.look.one_direction[side] = sender
  lab.findings.append({'cause': 'capture.one-direction', 'accept': ['capture.one-direction'], 'modes': [side, 'both']})
  _busy(lab, 8)


@scenario('healthy-duplicated')
def healthy_duplicated(lab):
  """One capture, or both, hold each packet twice."""
  lab.look.duplicated = set(lab.rng.choice([['client'], ['server'], ['client', 'server']]))
  _busy(lab, 8)


@scenario('healthy-copied-on-the-way')
def healthy_copied(lab):
  """The network doubles packets: they arrive twice, and TCP reports it."""
  lab.device.rule('copy', chance=0.2, seconds=0.002)
  _busy(lab, 8)


@scenario('healthy-reordered')
def healthy_reordered(lab):
  """Packets overtake each other by a millisecond or a few; nothing is lost."""
  lab.device.rule('reorder', only='data', chance=0.15, seconds=lab.rng.choice([0.001, 0.004]))
  def one(_):
    talk = lab.talk().open()
    for _ in range(5):
      talk.query(size=40_000)
      lab.sleep(0.4)
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-short-zero-window')
def healthy_short_zero_window(lab):
  """A client that is a moment late with reading: the window shuts for some tenths of a second."""
  def one(_):
    talk = lab.talk(encryption='no')
    talk.client.receive_room(8192)
    talk.open()
    for _ in range(3):
      talk.request()
      talk.server.receive()
      writer = threading.Thread(target=talk.answer_quietly, args=(150_000,))
      writer.start()
      lab.sleep(0.2, 0.5)
      talk.client.receive(20)
      writer.join()
      lab.sleep(0.5)
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-bulk', giants=False)
def healthy_bulk(lab):
  """Large answers and inserts; one or two packets are lost and come again at once."""
  def one(number):
    talk = lab.talk().open()
    talk.label = truth.label('none.normal', ('none', 'network.loss'))
    lab.device.rule('drop', talk.flow, 'to_client' if number % 2 else 'to_server', only='data', skip=15, count=1 + number % 2)
    for _ in range(3):
      talk.query(size=600_000)
      talk.request(size=100_000)
      talk.server.receive()
      talk.answer(40)
      talk.client.receive()
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-waiting-query')
def healthy_waiting_query(lab):
  """A session that waits in the server for work (WAITFOR, RECEIVE): it is silent, and ought to be."""
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('none.normal', ('none', 'server.slow-response'), ('server', 'server.slow-response'))
    talk.client.keep_alive(5)
    talk.server.keep_alive(5)
    talk.query(server_s=lab.rng.uniform(12, 20))
    talk.query()
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-cancel')
def healthy_cancel(lab):
  """Somebody presses cancel: an attention after half a second, acknowledged at once, and the session works on."""
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('none.normal', ('none', 'server.query-timeout'), ('none', 'server.slow-response'))
    talk.request()
    talk.server.receive()
    lab.sleep(0.3, 0.9)
    talk.attention()
    talk.work(3)
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-mars')
def healthy_mars(lab):
  """MARS sessions, closed properly, or with the reset that its closing brings about."""
  def one(how):
    talk = lab.talk(mars=True, encryption=lab.rng.choice(['no', 'login', 'full']))
    talk.variant = how
    talk.open_session()
    talk.work(3)
    talk.client.send_session(tds.SMP_FIN)
    if how == 'reset':
      talk.label = truth.label('none.mars-close', 'none.normal')
      talk.client.half_close()
      lab.sleep(0.002)
      talk.client.close()
      talk.server.send_session(tds.SMP_FIN)
      lab.sleep(0.3)
      talk.server.close()
    else:
      talk.server.receive_raw()
      talk.server.send_session(tds.SMP_FIN)
      talk.client.receive_raw()
      talk.close()
  lab.run_all(one, ['reset', 'fin', 'reset'])


@scenario('healthy-routed')
def healthy_routed(lab):
  """A login that is sent on to another server: closed after the answer, and opened again over there."""
  def one(_):
    talk = lab.talk()
    if talk.encryption == 'full':  # whether the hidden answer is a refusal, nobody can see
      talk.label = truth.label('none.normal', *truth.OPEN)
    talk.connect()
    talk.prelogin()
    if talk.encryption != 'no':
      talk.tls()
    talk.client_login()
    talk.server_reads_login()
    name = 'sql02.example.net'
    route = struct.pack('<BHH', 0, 1433, len(name)) + name.encode('utf-16-le')
    change = b'\xe3' + struct.pack('<HBH', len(route) + 5, 20, len(route)) + route + b'\0\0'
    talk.server.send(tds.RESPONSE, tds.login_answer('master')[:-13] + change + tds.done())
    talk.client.receive()
    talk.close()
    other = lab.talk(server=lab.server2).open()
    other.work(3)
    other.close()
  lab.run_all(one, range(3))


@scenario('healthy-query-errors')
def healthy_query_errors(lab):
  """Queries that fail with an error message, and go on."""
  def one(_):
    talk = lab.talk().open()
    for number in (8134, 1205, 2627):
      talk.request()
      talk.server.receive()
      talk.server.send(tds.RESPONSE, tds.information(number, 1, 16, 'It did not work.', error=True) + tds.done(2))
      talk.client.receive()
      lab.sleep(0.3)
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-nagle')
def healthy_nagle(lab):
  """A driver that writes messages in small pieces with Nagle's algorithm on: waits of 40 to 200 ms that are nobody's fault."""
  def one(_):
    talk = lab.talk(encryption='no').open()
    talk.client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
    for _ in range(6):
      data = tds.packets(tds.BATCH, tds.batch('SELECT 1 -- ' + ' ' * 100))
      for at in range(0, len(data), 60):
        talk.client.send_raw(data[at:at + 60])
      talk.server.receive()
      talk.answer(300)
      talk.client.receive()
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-far-away', one_way_s=0.14, giants=False)
def healthy_far_away(lab):
  """A path of 280 ms with some jitter: slow, and always was."""
  lab.device.path(0.14, 0.14, 0.03, 14)
  healthy_mixed(lab)


@scenario('healthy-slow-logins')
def healthy_slow_logins(lab):
  """Logins that take one or two seconds and succeed; clients that wait before they send their first packet."""
  def one(number):
    talk = lab.talk(encryption='login')
    talk.label = truth.label('none.normal', ('none', 'server.login-late'))
    talk.connect()
    if number % 2:
      lab.sleep(1, 2)
    talk.prelogin()
    talk.tls()
    talk.client_login()
    talk.server_reads_login()
    time.sleep(0.6 + 0.6 * number)
    talk.answer_login()
    talk.client.receive()
    talk.work(2)
    talk.close()
  lab.run_all(one, range(3))


@scenario('healthy-path-mtu', family=socket.AF_INET, giants=False)
def healthy_path_mtu(lab):
  """A tunnel with a small MTU refuses big packets by ICMP; the ends learn, and send smaller ones."""
  lab.device.rule('refuse', only='big', code=4, mtu=1300)
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('none.normal', ('none', 'network.loss'), ('network', 'network.loss'))
    for _ in range(4):
      talk.query(size=30_000)
    talk.close()
  lab.run_all(one, range(3))


class Proxy:
  """A load balancer that ends connections and opens its own to the server, on the machine `server2`."""

  def __init__(self, lab, port=14331):
    self.lab, self.listener, self.pairs = lab, lab.listener(lab.server2, port), []

  def open(self, talk, timeout=8.0):
    """Takes the client's connection and makes the one behind it; the talk's server end is then the real server."""
    talk.connect(timeout, accept=False)
    front = self.listener.take(talk.flow[0], timeout)
    back = self.lab.server2.socket(self.lab.family)
    back.bind((self.lab.server2.addresses[self.lab.family], self.lab.free_port()))
    real = self.lab.listener()
    talk.flow_at_server = (back.getsockname()[:2], (real.address, real.port))
    back.connect(talk.flow_at_server[1])
    talk.listener = real
    talk.accept()
    for source, target in ((front, back), (back, front)):
      self.lab.run_beside(self.pump, source, target)
    self.pairs.append((front, back))

  @staticmethod
  def pump(source, target):
    try:
      while data := source.recv(65536):
        target.sendall(data)
      target.shutdown(socket.SHUT_WR)
    except OSError:
      pass


@scenario('healthy-behind-balancer')
def healthy_behind_balancer(lab):
  """A load balancer ends the clients' connections and has its own to the server: other addresses, other numbers."""
  proxy = Proxy(lab)
  def one(_):
    talk = lab.talk(listener=proxy.listener, driver=tds.DRIVERS[0])
    proxy.open(talk)
    talk.prelogin()
    if talk.encryption != 'no':
      talk.tls()
    talk.login()
    talk.work(4)
    talk.close()
  lab.run_all(one, range(4))


@scenario('healthy-application-ends')
def healthy_application_ends(lab):
  """An application ends: it closes its whole pool at one instant, by FIN."""
  talks = [lab.talk() for _ in range(8)]
  lab.run_all(lambda talk: talk.open().work(3), talks)
  for talk in talks:
    talk.client.half_close()
  for talk in talks:
    talk.close()


@scenario('healthy-slow-insert')
def healthy_slow_insert(lab):
  """The server reads a bulk insert slowly: its window shuts for some seconds, the client waits, and it is done."""
  slow = lab.listener(lab.server, 1466, receive_room=16384)
  def one(_):
    talk = lab.talk(listener=slow, encryption='no')
    talk.label = truth.label('none.normal', ('server', 'server.slow-response'), ('none', 'server.slow-response'))
    talk.open()
    writer = threading.Thread(target=talk.client.send, args=(tds.BULK, b'r' * 250_000), daemon=True)
    writer.start()
    lab.sleep(3, 5)
    talk.server.receive(20)
    writer.join()
    talk.answer(30)
    talk.client.receive()
    talk.close()
  lab.run_all(one, range(2))


@scenario('healthy-idle-closes')
def healthy_idle_closes(lab):
  """Sessions that the client left idle for long; the client closes them one after the other, some after a last query."""
  def one(number):
    talk = lab.talk().open()
    talk.query()
    lab.sleep(6 + number)
    if number % 2:
      talk.query()
    talk.close()
  lab.run_all(one, range(5))


@scenario('healthy-syn-cookies')
def healthy_syn_cookies(lab):
  """The server answers every SYN with a cookie."""
  lab.server.sysctl('net.ipv4.tcp_syncookies', 2)
  healthy_mixed(lab)


@scenario('healthy-syn-proxy', giants=False, quiet=True)
def healthy_syn_proxy(lab):
  """A firewall makes the handshake in the server's name first, and then its own; all works."""
  lab.every_label = truth.label('none.normal')
  lab.device.rule('synproxy', None, None, ttl=lab.rng.choice([64, 128 - lab.look.hops, 254]))
  def one(encryption):
    talk = lab.talk(encryption=encryption).open()
    talk.work(5)
    talk.close()
  lab.run_all(one, ['no', 'login', 'full', 'strict', 'login'])


@scenario('healthy-state-removed-at-fin')
def healthy_state_removed_at_fin(lab):
  """A firewall forgets a connection when the client's FIN has passed: what the server says then is lost."""
  def one(way):
    talk = lab.talk().open()
    talk.variant = str(way)
    talk.label = truth.label('none.normal', *DROP, *OPEN, ('network', 'network.loss'))
    talk.work(2)
    talk.client.half_close()
    lab.sleep(0.001)
    lab.device.rule('drop', talk.flow, way)
    talk.server.read_away(1)
    talk.server.close()
    talk.client.read_away(3)
    talk.client.close()
    lab.sleep(6)
  lab.run_all(one, ['to_client', None])


@scenario('healthy-one-way-slow', giants=False)
def healthy_one_way_slow(lab):
  """One direction takes 350 ms, the other one: it always was so."""
  if lab.rng.random() < 0.5:
    lab.device.path(0.35, 0.001, 0.005, 5)
  else:
    lab.device.path(0.001, 0.35, 0.005, 5)
  healthy_mixed(lab)


@scenario('healthy-jitter')
def network_jitter(lab):
  """Packets overtake each other by up to 80 ms; nothing is lost."""
  lab.every_label = truth.label('none.normal', ('network', 'network.loss'), ('network', 'network.delay'))
  for talk in lab.talks:
    talk.label = lab.every_label
  lab.device.rule('reorder', None, None, chance=0.25, seconds=0.08)
  def one(_):
    talk = lab.talk().open()
    for _ in range(8):
      talk.query(size=lab.rng.choice([300, 30_000]))
      lab.sleep(0.2)
    talk.close()
  lab.run_all(one, range(4))
