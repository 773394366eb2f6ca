"""The path is at fault: it drops, holds, loses or forges."""

import socket
import struct
import threading
import time

import tds
import truth
from lab import scenario
from scenarios_healthy import Proxy
from talk import Closed
from truth import DROP, OPEN

COMMAND_TIMEOUT_S = 8


def wait_for_login(talk, seconds):
  """The client's half of a login that does not succeed: it waits, gives up, and closes."""
  try:
    talk.client.receive(seconds)
  except Closed:
    pass
  talk.client.close()


def wait_for_answer(talk, seconds=COMMAND_TIMEOUT_S):
  """The client waits for an answer, asks to cancel, waits some more, and closes, as SqlClient does."""
  try:
    talk.client.receive(seconds)
    return True
  except Closed:
    pass
  try:
    talk.client.send(tds.ATTENTION, b'')
    talk.client.receive(5)
  except Closed:
    pass
  talk.client.close()
  return False


def quietly(step, *values):
  try:
    step(*values)
  except Closed:
    pass


def login_until(talk, phase):
  """Logs in up to the moment before the client sends what `phase` names: prelogin, tls, login, request, response, idle."""
  talk.connect()
  if phase == 'prelogin':
    return
  talk.prelogin()
  if phase == 'tls':
    talk.begin_tls()
    return
  if talk.encryption != 'no':
    talk.tls()
  if phase == 'login':
    return
  talk.login()
  for _ in range(talk.rng.randint(1, 3)):
    talk.query()


def send_phase(talk, phase):
  """The client sends what `phase` names."""
  if phase == 'prelogin':
    talk.client_prelogin()
  elif phase == 'tls':
    talk.client.send(tds.PRELOGIN, talk.client.handshake_step())
  elif phase == 'login':
    talk.client_login()
  else:
    talk.request()


def answer_phase(talk, phase):
  """The server answers it, if it came."""
  try:
    if phase == 'login':
      talk.server_reads_login()
      talk.answer_login()
      return
    kind, data = talk.server.receive(3)
  except Closed:
    return
  if phase == 'prelogin':
    talk.server_prelogin()
  elif phase == 'tls':
    talk.server.incoming.write(data)
    talk.server.send(talk.driver.answer_type, talk.server.handshake_step())
  elif kind:
    quietly(talk.answer, 5000)


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
    server = threading.Thread(target=quietly, args=(answer_phase, talk, phase), daemon=True)
    server.start()
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


@scenario('network-device-reset')
def network_device_reset(lab):
  """A device resets connections in the other end's name: both ends or one, with its own TTL or the other end's."""
  def one(how):
    to, own_ttl, idle = how
    talk = lab.talk().open()
    talk.variant = f'{to}, {"own" if own_ttl else "same"} ttl, idle {idle}'
    talk.label = truth.label('network.device-reset', alone=OPEN + [('unknown', 'network.device-reset'), ('unknown', 'server.closed-session')],
                             client=[('none', 'none.normal')] if to == 'server' else [],
                             server=[('none', 'none.normal')])  # an idle session reset by its client: some drivers close so
    talk.query()
    if idle:
      talk.client.keep_alive(4)
      lab.sleep(idle)
    ttl = lab.rng.choice([63, 254, 60]) if own_ttl else None
    with_ack = lab.rng.random() < 0.6
    talk.request()
    talk.server.receive()
    quietly(talk.answer)
    talk.client.receive()
    lab.sleep(0.2)
    for end in ('client', 'server') if to == 'both' else (to,):
      lab.device.forge_reset(talk.flow, end, ttl, with_ack)
    lab.sleep(0.5)
    if to == 'client':
      talk.server.keep_alive(1)
      lab.sleep(3)
    if to == 'server':
      quietly(talk.request)
      wait_for_login(talk, 4)
    talk.drop()
  lab.run_all(one, [('both', True, 0), ('both', False, 9), ('client', True, 0), ('client', False, 0), ('server', True, 7),
                    ('server', False, 0)])


@scenario('network-device-reset-in-login')
def network_device_reset_in_login(lab):
  """A device that does not like what it sees resets both ends part-way through the login."""
  def one(phase):
    talk = lab.talk(encryption='full' if phase == 'tls' else lab.rng.choice(['no', 'login']))
    talk.variant = phase
    talk.label = truth.label('network.device-reset', alone=OPEN + [('unknown', 'network.device-reset')],
                             server=[('none', 'none.probe')] if phase == 'prelogin' else [])
    login_until(talk, phase)
    lab.device.rule('drop', talk.flow, 'to_server', only='data')
    send_phase(talk, phase)
    lab.sleep(0.03)
    for end in ('client', 'server'):
      lab.device.forge_reset(talk.flow, end, 62, True)
    lab.sleep(0.5)
    talk.drop()
  lab.run_all(one, ['prelogin', 'tls', 'login'])


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


@scenario('network-device-answers')
def network_device_answers(lab):
  """A device completes the handshake in the name of a server that is not there, and resets 3 s later."""
  ttl = lab.rng.choice([63, 254, 126])
  def one(number):
    lab.sleep(number * 0.7)
    talk = lab.talk(server_port=1533)
    talk.label = truth.label('network.device-answers', 'network.device-reset', 'network.drop-to-server', alone=OPEN + DROP)
    lab.device.rule('answer', talk.flow, 'to_server', ttl=ttl, reset_after=3.0)
    lab.device.rule('drop', talk.flow, 'to_server')
    talk.connect(accept=False)
    lab.sleep(0.002)
    quietly(talk.client_prelogin)
    wait_for_login(talk, 5)
  lab.run_all(one, range(4))


@scenario('network-idle-drop')
def network_idle_drop(lab):
  """A device forgets idle connections: what is sent after it is lost both ways, whether keep-alive or request."""
  def one(what):
    talk = lab.talk().open()
    talk.variant = what
    talk.label = truth.label('network.idle-drop', *DROP, alone=OPEN, server=[('none', 'none.normal')])
    talk.query()
    if what != 'request':
      talk.client.keep_alive(8)
    if what == 'both keep-alives':
      talk.server.keep_alive(9)
    lab.sleep(6.5)
    lab.device.rule('drop', talk.flow)
    lab.sleep(6 if what == 'request' else 16)
    quietly(talk.request)
    wait_for_answer(talk)
    lab.sleep(1)
  lab.run_all(one, ['request', 'keep-alive', 'both keep-alives'])


@scenario('network-idle-reset')
def network_idle_reset(lab):
  """A device forgets idle connections, and answers what is sent after it with a reset in the other end's name."""
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('network.device-reset', 'network.idle-drop', alone=OPEN + [('unknown', 'network.device-reset')],
                             server=[('none', 'none.normal')])
    talk.query()
    lab.sleep(11, 13)
    lab.device.rule('drop', talk.flow, 'to_server')
    talk.request()
    lab.sleep(0.01)
    lab.device.forge_reset(talk.flow, 'client', lab.rng.choice([None, 64, 253]), True)
    wait_for_login(talk, 2)
  lab.run_all(one, range(3))


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


@scenario('network-device-resets-all', quiet=True)
def network_device_resets_all(lab):
  """A device restarts and resets all its connections at one instant, to both ends."""
  talks = [lab.talk() for _ in range(7)]
  def one(talk):
    talk.label = truth.label('network.device-reset', alone=OPEN + [('unknown', 'network.device-reset')],
                             server=[('none', 'none.normal')])  # drivers close idle sessions with resets, too
    talk.open()
    talk.work(3)
  lab.run_all(one, talks)
  ttl = lab.rng.choice([None, 63, 253])
  for talk in talks:
    for end in ('client', 'server'):
      lab.device.forge_reset(talk.flow, end, ttl, True)
  lab.sleep(0.5)
  for talk in talks:
    talk.drop()
  after = lab.talk().open()
  after.work(2)
  after.close()


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


@scenario('network-balancer-forgets')
def network_balancer_forgets(lab):
  """A load balancer closes idle connections: a reset or a FIN to each end, neither of which the other end sent."""
  proxy = Proxy(lab)
  def one(how):
    talk = lab.talk(listener=proxy.listener, driver=tds.DRIVERS[0])
    talk.variant = how
    talk.label = truth.label('network.device-reset', 'network.idle-drop', alone=OPEN + [('unknown', 'network.device-reset')],
                             server=[('none', 'none.normal')], client=[('none', 'none.normal')] if how == 'fin' else [])
    proxy.open(talk)
    talk.prelogin()
    if talk.encryption != 'no':
      talk.tls()
    talk.login()
    talk.query()
    number = [back.getsockname()[:2] for _, back in proxy.pairs].index(talk.flow_at_server[0])
    lab.sleep(8, 12)
    for sock in proxy.pairs[number]:
      if how == 'reset':
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        sock.shutdown(socket.SHUT_RD)  # wakes the pump
        sock.close()
      else:
        sock.shutdown(socket.SHUT_RDWR)
    lab.sleep(0.5)
    talk.client.close()
    talk.server.close()
  lab.run_all(one, ['reset', 'fin', 'reset'])
