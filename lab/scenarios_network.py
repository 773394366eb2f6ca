"""The path is at fault: it drops, holds, damages or loses."""

import socket
import struct
import threading
import time

import tds
import truth
from lab import scenario
from steps import answer_beside, login_until, quietly, send_phase, wait_for_answer, wait_for_login
from talk import Closed
from truth import DROP, OPEN, SYN_OPEN

def drop_label(way, phase):
  cause = {'to_server': 'network.drop-to-server', 'to_client': 'network.drop-to-client', None: 'network.drop-both-ways'}[way]
  alone = DROP + OPEN
  # Who has nothing to send does not show that it could not: both ways dead looks like one way.
  silent = ['network.drop-to-server'] if way is None and phase != 'response' else []
  # When nothing arrives any more at a server that waits for work, it sees an idle connection.
  idle = [('none', 'none.normal')] if phase in ('request', 'response', 'idle') else []
  return truth.label(cause, 'network.idle-drop', *silent, alone=alone, server=idle if way != 'to_client' else [])


def drop_scenario(lab, way):
  """The path goes dead, in one direction or both, at every phase of a connection, and stays so."""
  phases = ['prelogin', 'tls', 'login', 'request', 'response', 'idle']
  def one(phase):
    lab.sleep(0, 3)
    talk = lab.talk(encryption='full' if phase == 'tls' else lab.rng.choice(['no', 'login', 'full']))
    talk.variant, talk.label = phase, drop_label(way, phase)
    login_until(talk, phase)
    talk.server.keep_alive(6)
    if phase == 'response':
      respond_and_drop(lab, talk, way)
      return
    if phase == 'idle':
      talk.client.keep_alive(5)
      lab.sleep(3, 7)
    lab.device.rule('drop', talk.flow, way)
    if phase == 'idle':
      lab.sleep(22)
      talk.client.close()
      return
    send_phase(talk, phase)
    answer_beside(talk, phase)
    if phase in ('prelogin', 'tls', 'login'):
      wait_for_login(talk, lab.rng.choice([5, 15]))
    else:
      wait_for_answer(talk)
    lab.sleep(3, 6)
  lab.run_all(one, phases)


def respond_and_drop(lab, talk, way):
  talk.request()
  talk.server.receive()
  lab.device.rule('drop', talk.flow, way, skip=lab.rng.randint(4, 12))
  writer = threading.Thread(target=talk.answer_quietly, args=(400_000,), daemon=True)
  writer.start()
  wait_for_answer(talk)
  lab.sleep(3, 6)


@scenario('network-drop-both', giants=False)
def network_drop_both(lab):
  """Nothing passes any more."""
  drop_scenario(lab, None)


@scenario('network-drop-to-server', giants=False)
def network_drop_to_server(lab):
  """The client's packets do not arrive any more, the server's do."""
  drop_scenario(lab, 'to_server')


@scenario('network-drop-to-client', giants=False)
def network_drop_to_client(lab):
  """The server's packets do not arrive any more, the client's do."""
  drop_scenario(lab, 'to_client')


@scenario('network-drop-behind-nat', nat='ports', giants=False)
def network_drop_behind_nat(lab):
  """As the others, with translated addresses."""
  drop_scenario(lab, lab.rng.choice([None, 'to_server', 'to_client']))


@scenario('network-drop-seen-with-gaps', giants=False)
def network_drop_with_gaps(lab):
  """As the others, and one capture misses packets or holds each twice."""
  side = lab.rng.choice(['client', 'server'])
  if lab.rng.random() < 0.5:
    lab.look.missed[side] = (0.01, 1)
  else:
    lab.look.duplicated = {side}
  drop_scenario(lab, lab.rng.choice([None, 'to_server', 'to_client']))


@scenario('network-syn-lost')
def network_syn_lost(lab):
  """The SYN, or the answer to it, gets lost every time."""
  def one(what):
    lab.sleep(0, 2)
    talk = lab.talk()
    talk.variant = what
    talk.label = truth.label('network.syn-lost', 'network.drop-both-ways', 'network.drop-to-server' if what == 'syn' else 'network.drop-to-client',
                             alone=DROP + OPEN + [('unknown', 'network.syn-lost')])
    lab.device.rule('drop', talk.flow, 'to_server' if what == 'syn' else 'to_client')
    quietly(talk.connect, lab.rng.choice([5, 10, 15]))
    talk.client.close()
  lab.run_all(one, ['syn', 'synack', 'syn', 'synack'])


@scenario('network-short-outage')
def network_short_outage(lab):
  """The path is dead for one to three seconds, and everything goes on after it."""
  def one(way):
    talk = lab.talk().open()
    talk.variant = str(way)
    talk.label = truth.label('network.loss', ('none', 'none.normal'), ('network', 'network.delay'), *DROP, alone=OPEN)
    talk.query()
    number = lab.device.rule('drop', talk.flow, way)
    talk.request()
    ready = threading.Timer(lab.rng.uniform(1, 3), lab.device.lift, [number])
    ready.start()
    talk.server.receive(10)
    quietly(talk.answer)
    talk.client.receive(10)
    talk.work(3)
    talk.close()
  lab.run_all(one, [None, 'to_server', 'to_client'])


@scenario('network-syn-lost-once')
def network_syn_lost_once(lab):
  """The first SYN, or the first answer to it, gets lost; the next one comes through a second later."""
  def one(what):
    talk = lab.talk()
    talk.variant = what
    talk.label = truth.label('none.normal', ('network', 'network.loss'), ('network', 'network.syn-lost'), alone=OPEN)
    lab.device.rule('drop', talk.flow, 'to_server' if what == 'syn' else 'to_client', count=1)
    talk.open()
    talk.work(2)
    talk.close()
  lab.run_all(one, ['syn', 'synack'])


def loss_label(tally):
  """How many packets of a connection were lost decides whether it hurt; who receives them sees less of it."""
  lost = sum(count for what, count in tally.items() if what.startswith('drop'))
  hidden = [('none', 'none.normal')]
  if lost >= 5:
    return truth.label('network.loss', alone=OPEN, server=hidden if tally.get('drop to_client', 0) < 3 else [],
                       client=hidden if tally.get('drop to_server', 0) < 3 and tally.get('drop to_client', 0) < 5 else [])
  if lost:
    return truth.label('network.loss', ('none', 'none.normal'), alone=OPEN)
  return truth.label('none.normal')


@scenario('network-loss', giants=False)
def network_loss(lab):
  """Between 2 and 10 % of the packets of some connections get lost, in one direction or both."""
  def one(way):
    talk = lab.talk()
    talk.label = loss_label
    chance = lab.rng.uniform(0.02, 0.1)
    talk.variant = f'{way} {chance:.3f}'
    talk.open()
    lab.device.rule('drop', talk.flow, way, chance=chance)
    until = time.monotonic() + 15
    while time.monotonic() < until:
      talk.query(size=lab.rng.choice([300, 20_000, 60_000]))
    quietly(talk.close)
  lab.run_all(one, [None, 'to_server', 'to_client', None])


@scenario('network-delay')
def network_delay(lab):
  """Packets that were quick are held for seconds, in one direction or both, and then all arrive; one client gives up."""
  def one(how):
    way, gives_up = how
    talk = lab.talk().open()
    talk.variant = f'{way}, gives up {gives_up}'
    talk.label = truth.label('network.delay', alone=OPEN + DROP + [('network', 'network.loss')],
                             server=[] if gives_up else [('none', 'none.normal')])  # it went on: the server sees copies, and no harm
    talk.work(2)
    number = lab.device.rule('hold', talk.flow, way)
    talk.request()
    seconds = lab.rng.uniform(3, 5)
    threading.Timer(seconds, lab.device.lift, [number]).start()
    server = threading.Thread(target=quietly, args=(late_answer, talk), daemon=True)
    server.start()
    if gives_up:
      wait_for_login(talk, seconds - 1)
      lab.sleep(4)
      return
    talk.client.receive(12)
    talk.work(2)
    talk.close()
  lab.run_all(one, [('to_server', False), ('to_client', False), (None, False), ('to_client', True)])


def late_answer(talk):
  talk.server.receive(10)
  talk.answer()


@scenario('network-delay-step')
def network_delay_step(lab):
  """The path becomes slower by 0.8 to 2 s and stays so (a route changed, a queue filled), in one direction or both."""
  def one(way):
    talk = lab.talk().open()
    talk.variant = str(way)
    talk.label = truth.label('network.delay', alone=OPEN + DROP + [('network', 'network.loss')],
                             server=[('none', 'none.normal')] if way == 'to_server' else [])  # that its requests are late shows in copies only
    talk.work(3)
    lab.device.rule('delay', talk.flow, way, seconds=lab.rng.uniform(0.8, 2))
    for _ in range(3):
      talk.query()
    quietly(talk.close)
  lab.run_all(one, ['to_server', 'to_client', None])


@scenario('network-mtu-black-hole', giants=False)
def network_mtu_black_hole(lab):
  """Full-size packets vanish, small ones pass: in the login's answer, in a request, in a response."""
  def one(what):
    talk = lab.talk(encryption='no', driver=tds.DRIVERS[0])
    talk.variant = what
    talk.label = truth.label('network.mtu-black-hole', 'network.drop-to-server' if what == 'request' else 'network.drop-to-client',
                             alone=DROP + OPEN)
    lab.device.rule('drop', talk.flow, None, only='big')
    talk.open()
    for _ in range(2):
      talk.query(size=400)
    if what == 'request':
      talk.client.send(tds.BATCH, tds.batch('INSERT ' + 'x' * 6000))
    else:
      talk.request()
      talk.server.receive()
      threading.Thread(target=talk.answer_quietly, args=(30_000,), daemon=True).start()
    wait_for_answer(talk, 10)
    lab.sleep(2)
  lab.run_all(one, ['request', 'response'])


@scenario('network-delay-all')
def network_delay_all(lab):
  """A tunnel holds everything for some seconds and then lets it all through: every connection is hit, whoever it belongs to."""
  lab.every_label = truth.label('network.delay', ('none', 'none.normal'), ('network', 'network.loss'), *DROP, alone=OPEN)
  for talk in lab.talks:
    talk.label = lab.every_label
  def one(_):
    talk = lab.talk().open()
    for _ in range(14):
      talk.query()
      lab.sleep(0.3, 0.8)
    talk.close()
  def hold():
    lab.sleep(3)
    number = lab.device.rule('hold', None, lab.rng.choice([None, 'to_client', 'to_server']))
    lab.sleep(2.5, 5)
    lab.device.lift(number)
  lab.run_beside(hold)
  lab.run_all(one, range(4))


@scenario('network-outage-all', quiet=True)
def network_outage_all(lab):
  """Nothing passes for 20 s: every client gives up; afterwards new connections work."""
  talks = [lab.talk() for _ in range(5)]
  def one(talk):
    talk.label = truth.label('network.drop-both-ways', *DROP, alone=OPEN, server=[('none', 'none.normal')])
    talk.open()
    talk.work(2)
  def use(talk):
    lab.sleep(0, 2)
    quietly(talk.request)
    wait_for_answer(talk)
  lab.run_all(one, talks)
  number = lab.device.rule('drop')
  lab.run_all(use, talks)
  late = lab.talk()
  late.label = truth.label('network.syn-lost', *DROP, ('none', 'none.normal'), ('network', 'network.loss'), alone=OPEN)
  threading.Timer(3.2, lab.device.lift, [number]).start()
  late.open()
  late.work(3)
  late.close()


@scenario('network-loss-all', giants=False)
def network_loss_all(lab):
  """The path loses 3 % of everything, in both directions, for all."""
  def one(_):
    talk = lab.talk()
    talk.label = loss_label
    talk.open()
    for _ in range(12):
      talk.query(size=lab.rng.choice([300, 5000, 30_000]))
      lab.sleep(0.1, 0.5)
    quietly(talk.close)
  lab.device.rule('drop', chance=lab.rng.uniform(0.02, 0.05))
  for talk in lab.talks:  # the background, too
    talk.label = loss_label
  lab.every_label = loss_label
  lab.run_all(one, range(4))


@scenario('network-refuses-by-icmp', family=socket.AF_INET)
def network_refuses_by_icmp(lab):
  """A router answers SYNs with ICMP: administratively prohibited, or host unreachable."""
  def one(code):
    talk = lab.talk()
    talk.variant = f'code {code}'
    talk.label = truth.label('network.syn-lost', *DROP)
    lab.device.rule('refuse', talk.flow, 'to_server', code=code)
    quietly(talk.connect, 5)
    talk.client.close()
    lab.sleep(1)
  lab.run_all(one, [13, 1, 13])


@scenario('network-damaged', giants=False)
def network_damaged(lab):
  """A bad line or card damages what passes, so that its TCP checksum is wrong and the receiver's TCP throws it away."""
  def one(how):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full'])).open()
    talk.variant = str(how)
    way, chance = how
    talk.work(2)
    if chance < 1:
      talk.label = truth.label('network.loss', ('network', 'network.device-alters'), ('none', 'none.normal'), alone=OPEN)
      lab.device.rule('damage', talk.flow, way, only='data', chance=chance)
      for _ in range(25):
        talk.query(size=20_000)
      quietly(talk.close)
      return
    talk.label = truth.label('network.drop-to-server' if way == 'to_server' else 'network.drop-to-client', *DROP, ('network', 'network.device-alters'),
                             ('network', 'network.loss'), ('unknown', 'server.no-ack'), ('unknown', 'client.no-ack'), *OPEN)
    lab.device.rule('damage', talk.flow, way, only='data')
    talk.request()
    answer_beside(talk, 'request')
    wait_for_answer(talk)
  lab.run_all(one, [('to_client', 1), ('to_server', 1), ('to_client', 0.08), ('to_server', 0.08)])


@scenario('network-delay-grows', quiet=True)
def network_delay_grows(lab):
  """A queue fills: the path gets slower and slower, from milliseconds to seconds, and empties again."""
  numbers = []
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('network.delay', ('none', 'none.normal'), ('network', 'network.loss'), *DROP, alone=OPEN)
    for _ in range(9):
      quietly(talk.query)
      lab.sleep(0.1, 0.4)
    quietly(talk.close)
  threads = [lab.run_beside(one, number) for number in range(4)]
  lab.sleep(2)
  for seconds in (0.1, 0.25, 0.5, 1.0, 1.6):
    numbers.append(lab.device.rule('delay', None, 'to_client', seconds=seconds))
    lab.sleep(2.0)
    if len(numbers) > 1:
      lab.device.lift(numbers[-2])
  lab.device.lift(numbers[-1])
  for thread in threads:
    thread.join(60)


@scenario('network-login-through-slow-tunnel')
def network_login_through_slow_tunnel(lab):
  """The way gets slow by seconds in the middle of logins with TLS: clients give up, by FIN or reset; the server answers all the same."""
  def one(how):
    talk = lab.talk(encryption='full')
    talk.variant = how
    open_too = OPEN + [('unknown', 'client.closed-in-login'), ('unknown', 'network.delay'), ('unknown', 'server.login-late')]
    talk.label = truth.label('network.delay', *DROP, ('network', 'network.loss'), alone=open_too,
                             server=[('network', 'network.delay'), ('network', 'network.loss')], client=[('network', 'network.delay')])
    way = lab.rng.choice(['to_server', 'to_client'])
    talk.connect()
    talk.prelogin()
    lab.device.rule('delay', talk.flow, way, seconds=3.5)
    talk.begin_tls()
    send_phase(talk, 'tls')
    server = threading.Thread(target=quietly, args=(slow_hello, talk), daemon=True)
    server.start()
    lab.sleep(2.6)
    if how == 'reset':
      talk.client.reset()
    else:
      talk.client.half_close()
    lab.sleep(9)
    talk.client.close()
  lab.run_all(one, ['fin', 'reset', 'fin'])


def slow_hello(talk):
  talk.server.incoming.write(talk.server.receive(8)[1])
  talk.server.send(talk.driver.answer_type, talk.server.handshake_step())


@scenario('network-mtu-in-login', giants=False)
def network_mtu_in_login(lab):
  """Packets of a login that are large vanish: the server's certificates, or a login packet that carries a ticket."""
  def one(what):
    talk = lab.talk(encryption='full' if what == 'certificate' else 'no', driver=tds.DRIVERS[0])
    talk.variant = what
    talk.label = truth.label('network.mtu-black-hole', 'network.drop-to-client' if what == 'certificate' else 'network.drop-to-server',
                             alone=DROP + OPEN + [('unknown', 'network.mtu-black-hole')])
    lab.device.rule('drop', talk.flow, None, only='big', bytes=1000)
    talk.connect()
    talk.prelogin()
    if what == 'certificate':
      talk.begin_tls()
      talk.tls_flight(talk.client, talk.server)
      sender = threading.Thread(target=quietly, args=(talk.server.send, talk.driver.answer_type, talk.server.handshake_step()), daemon=True)
      sender.start()
    else:
      talk.client.send(tds.LOGIN, tds.login7(talk.driver, host='APP', user='u' * 100, password='p' * 100, server='s' * 120, database='d' * 100)
                       + bytes(1800))
    wait_for_login(talk, 10)
    lab.sleep(2)
  lab.run_all(one, ['certificate', 'ticket'])


@scenario('network-outage-heals', quiet=True)
def network_outage_heals(lab):
  """The way is dead for nine seconds, in one direction or both; clients give up meanwhile, and what both ends repeat arrives after all."""
  way = lab.rng.choice([None, 'to_client', 'to_server'])
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.open()
    talk.work(2)
    talk.variant = str(way)
    talk.label = truth.label('network.drop-both-ways', *DROP, ('network', 'network.loss'), ('network', 'network.delay'), alone=OPEN,
                             server=[('none', 'none.normal')])
    if way == 'to_client':
      return
    talk.request()
    talk.server.receive()
  def use(talk, how):
    if way == 'to_client':
      talk.request()
      quietly(talk.server.receive)
      threading.Timer(0.5, talk.answer_quietly, [3000]).start()
    elif way is None:
      threading.Timer(0.5, talk.answer_quietly, [3000]).start()
    else:
      talk.answer_quietly(300)
      quietly(talk.client.receive, 3)
      quietly(talk.request)
    lab.sleep(4, 6)
    if how == 'reset':
      talk.client.reset()
    else:
      talk.client.close()
    lab.sleep(10)
  lab.run_all(one, talks)
  number = lab.device.rule('drop', None, way)
  threads = [lab.run_beside(use, talk, how) for talk, how in zip(talks, ['fin', 'reset', 'fin', 'reset'])]
  lab.sleep(9)
  lab.device.lift(number)
  for thread in threads:
    thread.join(40)
  after = lab.talk().open()
  after.work(2)
  after.close()


@scenario('network-router-reports', family=socket.AF_INET)
def network_router_reports(lab):
  """A router loses its way to the server, and says so by ICMP: connections that were there get host unreachable for each packet."""
  def one(what):
    talk = lab.talk(encryption='no').open()
    talk.variant = what
    talk.label = truth.label('network.drop-to-server', *DROP, alone=OPEN, server=[('none', 'none.normal')])
    talk.work(2)
    lab.device.rule('refuse', talk.flow, 'to_server', only='old', code=1)
    talk.request()
    wait_for_answer(talk)
  lab.run_all(one, ['host unreachable'] * 2)


@scenario('network-half-of-the-ways-dead')
def network_half_of_the_ways_dead(lab):
  """One of two parallel links is dead in one direction: some connections cannot be made, or stop, others beside them work."""
  def one(what):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full']))
    talk.variant = what
    if what == 'works':
      talk.open()
      talk.work(8)
      talk.close()
      return
    if what == 'no answer':
      talk.label = truth.label('network.syn-lost', *DROP, alone=DROP + OPEN + [('unknown', 'network.syn-lost')])
      lab.device.rule('drop', talk.flow, 'to_client')
      quietly(talk.connect, 8, False)
      talk.client.close()
      return
    talk.label = truth.label('network.drop-to-client', *DROP, alone=DROP + OPEN)
    talk.open()
    talk.work(3)
    lab.device.rule('drop', talk.flow, 'to_client')
    talk.request()
    answer_beside(talk, 'request')
    wait_for_answer(talk)
  lab.run_all(one, ['works', 'no answer', 'stops', 'works', 'stops'])


@scenario('network-answer-dropped-once', giants=False)
def network_answer_dropped_once(lab):
  """Of an answer its last packet gets lost again and again for some seconds, and then comes: the query was slow on the way only."""
  def one(count):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full'])).open()
    talk.variant = str(count)
    talk.label = truth.label('network.loss', *DROP, ('network', 'network.delay'), alone=OPEN,
                             client=[('none', 'none.normal'), ('none', 'server.slow-response'), ('network', 'network.loss')])
    talk.work(2)
    lab.device.rule('drop', talk.flow, 'to_client', only='data', count=count)
    quietly(talk.query, 900)
    talk.work(2)
    talk.close()
  lab.run_all(one, [3, 4, 5])


@scenario('network-nat-table-full', quiet=True)
def network_nat_table_full(lab):
  """The connection table of a NAT is full: most SYNs are dropped, what is open goes on."""
  old = [lab.talk().open() for _ in range(2)]
  work = [lab.run_beside(talk.work, 14) for talk in old]
  lab.device.rule('drop', None, 'to_server', only='syn', chance=0.75)
  def one(_):
    lab.sleep(0, 4)
    talk = lab.talk()
    try:
      talk.connect(lab.rng.choice([4, 6]), accept=False)
    except Closed:
      talk.label = truth.label('network.syn-lost', *DROP, alone=SYN_OPEN)
      talk.client.close()
      return
    talk.label = truth.label('none.normal', ('network', 'network.loss'), ('network', 'network.syn-lost'), client=SYN_OPEN)
    talk.accept()
    talk.rest_of_login()
    talk.work(1)
    talk.close()
  lab.run_all(one, range(8))
  for thread in work:
    thread.join(30)


@scenario('network-policed', giants=False)
def network_policed(lab):
  """A policer drops what is above a rate."""
  def one(way):
    talk = lab.talk()
    talk.label, talk.variant = loss_label, way
    talk.open()
    lab.device.rule('police', talk.flow, way, bytes_per_s=40_000, burst=20_000)
    until = time.monotonic() + 12
    while time.monotonic() < until:
      if way == 'to_client':
        talk.query(size=60_000)
      else:
        threading.Thread(target=quietly, args=(talk.client.send, tds.BULK, b'r' * 60_000), daemon=True).start()
        talk.server.receive(20)
        talk.answer(30)
        talk.client.receive()
    quietly(talk.close)
  lab.run_all(one, ['to_client', 'to_server'])


@scenario('network-mtu-one-way', giants=False)
def network_mtu_one_way(lab):
  """Full-size packets vanish in one direction only; in the other one they pass."""
  def one(way):
    talk = lab.talk(encryption='no')
    talk.variant = way
    talk.label = truth.label('network.mtu-black-hole', 'network.drop-to-server' if way == 'to_server' else 'network.drop-to-client',
                             alone=DROP + OPEN + [('unknown', 'network.mtu-black-hole')])
    lab.device.rule('drop', talk.flow, way, only='big')
    talk.open()
    talk.query(size=400)
    if way == 'to_server':
      talk.query(size=30_000)
      threading.Thread(target=quietly, args=(talk.client.send, tds.BATCH, tds.batch('INSERT ' + 'x' * 6000)), daemon=True).start()
    else:
      talk.client.send(tds.BATCH, tds.batch('INSERT ' + 'x' * 6000))
      talk.server.receive()
      talk.answer(300)
      talk.client.receive()
      talk.request()
      talk.server.receive()
      threading.Thread(target=talk.answer_quietly, args=(30_000,), daemon=True).start()
    wait_for_answer(talk, 10)
    lab.sleep(2)
  lab.run_all(one, ['to_server', 'to_client', 'to_client'])


@scenario('network-redirect-blocked')
def network_redirect_blocked(lab):
  """The gateway sends the client on to another port, which a firewall on the way blocks."""
  for host in (lab.server, lab.server2):
    lab.listener(host, 11004)
  def one(host):
    talk = lab.talk(encryption='login')
    talk.connect()
    talk.prelogin()
    talk.tls()
    talk.client_login()
    talk.server_reads_login()
    name = 'db01.example.net'
    route = struct.pack('<BHH', 0, 11004, len(name)) + name.encode('utf-16-le')
    change = b'\xe3' + struct.pack('<HBH', len(route) + 5, 20, len(route)) + route + b'\0\0'
    talk.server.send(tds.RESPONSE, tds.login_answer('master')[:-13] + change + tds.done())
    talk.client.receive()
    talk.close()
    other = lab.talk(server=host, server_port=11004)
    other.variant = f'to {host.name}'
    other.label = truth.label('network.syn-lost', *DROP, *(SYN_OPEN if host is lab.server2 else []), alone=SYN_OPEN)
    lab.device.rule('drop', other.flow, 'to_server')
    quietly(other.connect, 8, False)
    other.client.close()
  lab.run_all(one, [lab.server, lab.server2, lab.server])


@scenario('network-forgets-during-query')
def network_forgets_during_query(lab):
  """A device forgets a connection whose query runs for long: the answer is lost, and what the client asks then."""
  def one(how):
    way, gives_up = how
    talk = lab.talk().open()
    talk.variant = str(how)
    talk.label = truth.label('network.idle-drop', *DROP, alone=OPEN)
    talk.query()
    talk.request()
    talk.server.receive()
    lab.sleep(3)
    lab.device.rule('drop', talk.flow, way)
    threading.Timer(6, talk.answer_quietly, [3000]).start()
    wait_for_answer(talk, gives_up)
    lab.sleep(3)
  lab.run_all(one, [(None, 11), ('to_client', 11), (None, 5), (None, 20)])


@scenario('network-outages-regular', quiet=True)
def network_outages_regular(lab):
  """A tunnel is made anew every 6 s: nothing passes for 1.3 s each time."""
  lab.every_label = truth.label('network.loss', ('none', 'none.normal'), ('network', 'network.delay'), ('network', 'network.syn-lost'), *DROP,
                                alone=SYN_OPEN)
  def one(number):
    until = time.monotonic() + 18
    if number < 3:
      talk = lab.talk().open()
      while time.monotonic() < until:
        talk.query()
        lab.sleep(0.05, 0.3)
      talk.close()
      return
    while time.monotonic() < until:
      talk = lab.talk().open()
      talk.query()
      talk.close()
      lab.sleep(0.2, 0.6)
  threads = [lab.run_beside(one, n) for n in range(5)]
  for _ in range(3):
    lab.sleep(4.7)
    number = lab.device.rule('drop')
    lab.sleep(1.3)
    lab.device.lift(number)
  for thread in threads:
    thread.join(60)


@scenario('network-answer-too-late-for-client')
def client_timeout_below_rto(lab):
  """A client whose time to connect is shorter than TCP's first repetition, or than the way is long."""
  def one(how):
    talk = lab.talk()
    talk.variant = how
    if how == 'slow':
      talk.label = truth.label('network.delay', 'client.gave-up-before-login', *SYN_OPEN, ('none', 'none.probe'), ('network', 'network.syn-lost'),
                               server=[('none', 'none.normal')])
      lab.device.rule('delay', talk.flow, 'to_client', seconds=1.5)
    else:
      talk.label = truth.label('network.syn-lost', *DROP, ('client', 'client.gave-up-before-login'), *SYN_OPEN)
      lab.device.rule('drop', talk.flow, 'to_server' if how == 'syn' else 'to_client', count=1)
    quietly(talk.connect, 0.8, False)
    talk.client.close()
    lab.sleep(2)
  lab.run_all(one, ['syn', 'slow', 'synack', 'slow'])
