"""Faults of the field that look like another's: firewalls that refuse, machines that sleep, pause or start again, half-open connections."""

import socket
import threading

import tds
import truth
from hosts import run
from lab import scenario
from scenarios_network import answer_phase, login_until, loss_label, quietly, send_phase, wait_for_answer, wait_for_login
from scenarios_server import firewall_rule
from talk import Closed, Listener
from truth import DROP, OPEN

RESET_OPEN = OPEN + [('unknown', 'network.device-reset'), ('unknown', 'server.closed-session'), ('unknown', 'client.closed-in-login')]


@scenario('field-firewall-rejects-syn')
def firewall_rejects_syn(lab):
  """A firewall refuses some connections with a reset in the server's name; others to the same port pass."""
  way_s = 2 * lab.look.one_way_s
  def one(ttl):
    talk = lab.talk()
    talk.variant = f'ttl {ttl}'
    looks_same = [('server', 'server.not-listening'), ('server', 'server.backlog-full')] if ttl is None else []
    talk.label = truth.label('network.device-reset', ('network', 'network.syn-lost'), ('network', 'network.device-answers'),
                             ('unknown', 'server.not-listening'), *OPEN, ('unknown', 'server.backlog-full'), client=looks_same)
    lab.device.rule('reject', talk.flow, 'to_server', ttl=ttl, seconds=way_s if ttl is None else 0.0002)
    quietly(talk.connect, 3, False)
    talk.client.close()
    lab.sleep(0.5, 2)
  for ttl in (63, None, 254, 63):
    one(ttl)


@scenario('field-firewall-rejects-port', quiet=True)
def firewall_rejects_port(lab):
  """A firewall refuses every connection to one port with a reset; another port of the machine is served."""
  lab.device.rule('reject', None, 'to_server', only='syn', to_port=1599, ttl=62, seconds=0.0002)
  healthy = lab.talk().open()
  work = lab.run_beside(healthy.work, 7)
  def one(_):
    talk = lab.talk(server_port=1599)
    talk.label = truth.label('network.device-reset', ('network', 'network.syn-lost'), ('unknown', 'server.not-listening'), *OPEN)
    quietly(talk.connect, 3, False)
    talk.client.close()
  for number in range(4):
    one(number)
    lab.sleep(0.5, 1.5)
  work.join(20)
  healthy.close()


@scenario('field-firewall-loses-state')
def firewall_loses_state(lab):
  """A firewall fails over without its table: packets of connections that were there are dropped, or refused; new ones pass."""
  def one(how):
    talk = lab.talk().open()
    talk.variant = how
    talk.work(2)
    if how == 'dropped':
      talk.label = truth.label('network.drop-both-ways', *DROP, alone=OPEN, server=[('none', 'none.normal')])
      lab.device.rule('drop', talk.flow, only='old')
      talk.request()
      wait_for_answer(talk)
      return
    if how == 'answer refused':
      talk.label = truth.label('network.device-reset', *DROP, alone=RESET_OPEN + [('unknown', 'client.abort')])
      talk.request()
      talk.server.receive()
      lab.device.rule('reject', talk.flow, 'to_client', ttl=lab.rng.choice([None, 63]))
      quietly(talk.answer, 3000)
      lab.sleep(1)
      wait_for_answer(talk, 4)
      return
    talk.label = truth.label('network.device-reset', *DROP, alone=RESET_OPEN, server=[('none', 'none.normal')])
    lab.device.rule('reject', talk.flow, 'to_server', ttl=lab.rng.choice([None, 63]))
    quietly(talk.request)
    wait_for_answer(talk, 4)
  lab.run_all(one, ['dropped', 'refused', 'answer refused', 'refused'])


@scenario('field-damaged', giants=False)
def damaged(lab):
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
    server = threading.Thread(target=quietly, args=(answer_phase, talk, 'request'), daemon=True)
    server.start()
    wait_for_answer(talk)
  lab.run_all(one, [('to_client', 1), ('to_server', 1), ('to_client', 0.08), ('to_server', 0.08)])


@scenario('field-unscaled', giants=False)
def unscaled(lab):
  """A firewall takes the window scale out of one SYN: the other end reads windows far too small, and answers crawl."""
  def one(only):
    talk = lab.talk(encryption='no')
    talk.variant = only
    talk.label = truth.label('network.device-alters', ('none', 'none.normal'), ('network', 'network.delay'), ('network', 'network.loss'),
                             ('none', 'server.slow-response'), *OPEN)
    lab.device.rule('unscale', talk.flow, None, only=only)
    talk.open()
    for _ in range(3):
      talk.query(size=60_000)
    talk.request()
    talk.server.receive()
    threading.Thread(target=talk.answer_quietly, args=(900_000,), daemon=True).start()
    quietly(talk.client.receive, 15)
    talk.close()
  lab.run_all(one, ['syn', 'synack'])


@scenario('field-server-boots', quiet=True)
def server_boots(lab):
  """The server machine starts again: for some seconds nothing answers, then it refuses what it does not know; later all is well."""
  talks = [lab.talk() for _ in range(5)]
  def one(talk):
    talk.label = truth.label('server.reset', 'server.closed-many', 'server.no-ack', 'server.no-answer', *RESET_OPEN,
                             server=[('none', 'none.normal')])
    talk.open()
    talk.work(2)
  lab.run_all(one, talks)
  lab.server.firewall('tcp dport 1433 drop')
  for talk in talks:
    talk.server.vanish()
  def use(talk):
    lab.sleep(0, 6)
    quietly(talk.request)
    wait_for_login(talk, 9)
  threads = [lab.run_beside(use, talk) for talk in talks]
  lab.sleep(4)
  lab.server.lift_firewall()
  for thread in threads:
    thread.join(30)
  after = lab.talk()
  after.open()
  after.work(2)
  after.close()


def silence(lab, host, side):
  """From now on nothing leaves or reaches a machine, and its own capture sees nothing of that; returns how to end it."""
  run('ip', 'netns', 'exec', host.namespace, 'nft', 'add table inet sleep; add chain inet sleep out { type filter hook output priority 0; }; '
      'add rule inet sleep out drop')
  number = lab.device.rule('drop', None, 'to_' + side)
  def wake():
    lab.device.lift(number)
    run('ip', 'netns', 'exec', host.namespace, 'nft', 'delete table inet sleep')
  return wake


@scenario('field-client-sleeps', quiet=True)
def client_sleeps(lab):
  """The client machine sleeps for 20 s (a laptop's lid); the server's keep-alives go unanswered, and it gives the sessions up."""
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.label = truth.label('client.no-ack', *OPEN, ('unknown', 'server.reset'), ('client', 'client.abort'), ('none', 'none.normal'))
    talk.open()
    talk.work(2)
    talk.server.keep_alive(3)
  lab.run_all(one, talks)
  other = lab.talk(client=lab.client2).open()
  work = lab.run_beside(other.work, 20)
  lab.sleep(1)
  wake = silence(lab, lab.client, 'client')
  lab.sleep(19)
  wake()
  def use(talk):
    quietly(talk.request)
    wait_for_login(talk, 4)
  lab.run_all(use, talks)
  late = lab.talk().open()
  late.work(2)
  work.join(20)


@scenario('field-server-pauses', quiet=True)
def server_pauses(lab):
  """The server's virtual machine stands still for 6 s (a snapshot); what was sent to it meanwhile is lost, and it goes on as if nothing was."""
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.label = truth.label('server.slow-response', *OPEN, ('none', 'none.normal'), ('server', 'server.no-ack'), ('none', 'server.slow-response'),
                             ('network', 'network.loss'), ('network', 'network.delay'))  # as if the way had been dead
    talk.open()
    talk.work(2)
  lab.run_all(one, talks)
  def use(talk):
    lab.sleep(0, 3)
    for _ in range(3):
      talk.query()
  wake = silence(lab, lab.server, 'server')
  threads = [lab.run_beside(use, talk) for talk in talks]
  lab.sleep(6)
  wake()
  for thread in threads:
    thread.join(30)
  for talk in talks:
    talk.work(1)
    talk.close()


@scenario('field-delay-grows', quiet=True)
def delay_grows(lab):
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


@scenario('field-firewall-sees-half')
def firewall_sees_half(lab):
  """Ways differ by direction, and a firewall sees the client's packets only: it lets the SYN pass, and nothing after it."""
  def one(seconds):
    talk = lab.talk()
    talk.label = truth.label('network.drop-to-server', 'network.drop-both-ways', 'network.syn-lost', 'network.device-answers', alone=DROP + OPEN)
    lab.device.rule('drop', talk.flow, 'to_server', only='old')
    talk.connect(5, accept=False)
    quietly(talk.client_prelogin)
    wait_for_login(talk, seconds)
    lab.sleep(2)
  lab.run_all(one, [5, 15, 5])


@scenario('field-client-stalls-in-login')
def client_stalls_in_login(lab):
  """The client stands still in the middle of the login (a CRL that it cannot fetch, a full machine); the server ends it after its limit."""
  def one(how):
    phase, end = how
    talk = lab.talk(encryption='full')
    talk.variant = f'{phase}, {end}'
    talk.label = truth.label('client.closed-in-login', ('client', 'client.abort'), ('client', 'client.gave-up-before-login'),
                             ('unknown', 'client.closed-in-login'), ('unknown', 'server.closed-in-login'), ('client', 'server.closed-in-login'),
                             ('none', 'none.probe'),
                             ('unknown', 'server.tls-refused'), ('unknown', 'client.gave-up-before-login'), *OPEN)
    talk.connect()
    if phase != 'connected':
      talk.prelogin()
    if phase == 'server hello':
      talk.tls(flights=2)
    elif phase == 'tls':
      talk.tls()
    lab.sleep(10)
    if end == 'reset':
      talk.server.reset()
    else:
      talk.server.half_close()
    lab.sleep(1)
    talk.client.close()
    talk.server.close()
  lab.run_all(one, [('prelogin', 'fin'), ('server hello', 'reset'), ('tls', 'fin'), ('server hello', 'fin'), ('connected', 'reset')])


@scenario('field-server-stops-reading')
def server_stops_reading(lab):
  """The server reads no more of a bulk insert, and its window stays shut; the client gives up after its time-out."""
  slow = lab.listener(lab.server, 1466, receive_room=16384)
  def one(end):
    talk = lab.talk(listener=slow, encryption='no')
    talk.variant = end
    talk.label = truth.label('server.slow-response', ('server', 'server.query-timeout'), ('none', 'server.slow-response'), ('unknown', 'client.abort'),
                             ('server', 'server.no-ack'), *OPEN)
    talk.open()
    writer = threading.Thread(target=quietly, args=(talk.client.send, tds.BULK, b'r' * 250_000), daemon=True)
    writer.start()
    lab.sleep(12)
    if end == 'reset':
      talk.client.reset()
    else:
      talk.client.half_close()
      lab.sleep(2)
      talk.client.reset()
    lab.sleep(0.5)
    talk.server.close()
  lab.run_all(one, ['reset', 'fin'])


@scenario('field-reset-while-waiting')
def reset_while_waiting(lab):
  """A device forgets a connection whose query runs for long, and resets both its ends, or the client's."""
  def one(how):
    to, ttl, seconds = how
    talk = lab.talk().open()
    talk.variant = str(how)
    talk.label = truth.label('network.device-reset', alone=RESET_OPEN + [('unknown', 'client.abort'), ('unknown', 'server.query-timeout')])
    talk.query()
    talk.request()
    talk.server.receive()
    lab.sleep(seconds)
    for end in ('client', 'server') if to == 'both' else (to,):
      lab.device.forge_reset(talk.flow, end, ttl, True)
    lab.sleep(1)
    quietly(talk.answer, 500)
    lab.sleep(1)
    talk.drop()
  lab.run_all(one, [('both', None, 9), ('client', None, 9), ('client', 61, 12), ('server', None, 9), ('both', None, 2)])


@scenario('field-mtu-in-login', giants=False)
def mtu_in_login(lab):
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


@scenario('field-nat-forgets-one-way')
def nat_forgets_one_way(lab):
  """A NAT forgets an idle connection: the server's keep-alives die there, and it gives up; the client's next request passes, and is refused."""
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('network.idle-drop', *DROP, ('network', 'network.device-reset'), *OPEN, ('unknown', 'server.reset'),
                             ('unknown', 'network.device-reset'), server=[('none', 'none.normal')])
    talk.query()
    talk.server.keep_alive(4)
    lab.sleep(2)
    number = lab.device.rule('drop', talk.flow, 'to_client')
    lab.sleep(16)
    lab.device.lift(number)
    quietly(talk.request)
    wait_for_login(talk, 3)
  lab.run_all(one, range(2))


@scenario('field-mars')
def mars(lab):
  """Faults of connections with MARS: the path dies, a device resets, the server resets, the server is slow."""
  def one(how):
    talk = lab.talk(mars=True, encryption=lab.rng.choice(['no', 'login', 'full']))
    talk.variant = how
    talk.open()
    talk.client.send_session(tds.SMP_SYN)
    talk.server.session, talk.server.sent = 0, 0
    talk.work(2)
    if how == 'drop':
      talk.label = truth.label('network.drop-both-ways', *DROP, alone=OPEN, server=[('none', 'none.normal')])
      lab.device.rule('drop', talk.flow)
      talk.request()
      wait_for_answer(talk)
      return
    talk.request()
    talk.server.receive()
    lab.sleep(1)
    if how == 'device':
      talk.label = truth.label('network.device-reset', alone=RESET_OPEN)
      for end in ('client', 'server'):
        lab.device.forge_reset(talk.flow, end, 62, True)
    elif how == 'server':
      talk.label = truth.label('server.reset', 'server.closed-many', client=OPEN)
      talk.server.reset()
    else:
      talk.label = truth.label('client.abort')
      talk.client.reset()
    lab.sleep(0.5)
    talk.drop()
  lab.run_all(one, ['drop', 'device', 'server', 'client'])


@scenario('field-half-open-port')
def half_open_port(lab):
  """The client machine started again and uses a port whose old connection the server still has: its SYN gets an ACK, and it resets that."""
  open_label = truth.label('none.normal', *OPEN, ('client', 'client.abort'), ('network', 'network.syn-lost'), ('network', 'network.loss'),
                           ('unknown', 'server.reset'))
  def one(how):
    old = lab.talk().open()
    old.label = open_label
    old.query()
    old.client.vanish()
    port = old.flow[0][1]
    rule = None
    if how == 'reset lost':
      rule = lab.device.rule('drop', old.flow, 'to_server', only='reset')
    new = lab.talk(port=port)
    new.variant = how
    new.label = open_label
    try:
      new.connect(6, accept=rule is None)
      if not rule:
        new.prelogin()
        new.encryption = 'no'
        new.login()
        new.work(2)
        new.close()
    except Closed:
      new.client.close()
  lab.run_all(one, ['resolved', 'reset lost', 'resolved'])


@scenario('field-loss-and-stall', giants=False)
def loss_and_stall(lab):
  """The path loses 4 % of everything, and the server leaves some logins without an answer: two faults at once."""
  lab.device.rule('drop', chance=0.04)
  for talk in lab.talks:
    talk.label = loss_label
  lab.every_label = loss_label
  def one(what):
    talk = lab.talk(encryption='no')
    talk.variant = what
    if what == 'stalled':
      talk.label = truth.label('server.login-stalled', 'server.login-late', alone=OPEN)
      login_until(talk, 'login')
      send_phase(talk, 'login')
      quietly(talk.server_reads_login)
      wait_for_login(talk, 10)
      return
    talk.open()
    for _ in range(10):
      talk.query(size=20_000)
    quietly(talk.close)
  lab.run_all(one, ['stalled', 'lossy', 'stalled', 'lossy', 'stalled'])


@scenario('field-aborts-on-overflow')
def aborts_on_overflow(lab):
  """A full queue that refuses late (Linux's tcp_abort_on_overflow): the handshake is made, and its last packet is answered with a reset."""
  lab.server.sysctl('net.ipv4.tcp_abort_on_overflow', 1)
  busy = Listener(lab.server, lab.family, 1455, backlog=1, accepting=True)
  lab.listeners['server', 1455] = busy
  before = lab.talk(listener=busy).open()
  before.work(1)
  busy.may_accept.clear()
  lab.sleep(0.3)
  lab.talk(listener=busy).open()
  def one(number):
    lab.sleep(number * 0.15)
    talk = lab.talk(listener=busy)
    talk.label = truth.label('server.backlog-full', 'server.login-stalled', 'server.reset', 'server.closed-in-login', 'server.no-answer', 'server.not-listening',
                             'server.no-ack', *OPEN, ('unknown', 'network.device-answers'), ('none', 'none.probe'))
    try:
      talk.connect(7, accept=False)
      talk.variant = 'queued'
      talk.client_prelogin()
      wait_for_login(talk, 7)
    except Closed:
      talk.variant = 'refused'
      talk.client.close()
  lab.run_all(one, range(7))
  busy.may_accept.set()


@scenario('field-host-rejects-by-icmp')
def host_rejects(lab):
  """The server machine's firewall refuses by ICMP: a SYN, or what comes on an established connection."""
  def one(what):
    talk = lab.talk(encryption='no')
    talk.variant = what
    talk.label = truth.label('server.no-answer', 'server.no-ack', alone=OPEN if what == 'old' else [])
    if what == 'old':
      talk.open()
      talk.work(1)
    lab.server.firewall(firewall_rule(lab, talk).replace('drop', 'reject'))
    if what == 'old':
      talk.request()
      wait_for_answer(talk)
      return
    quietly(talk.connect, 6, False)
    talk.client.close()
  lab.run_all(one, ['syn', 'old', 'syn'])


@scenario('field-client-deaf-to-answer')
def client_deaf(lab):
  """The client machine's filter eats the answer to its own SYN, behind the capture."""
  def one(_):
    talk = lab.talk()
    talk.label = truth.label('client.no-ack', server=OPEN + [('unknown', 'network.syn-lost'), ('network', 'network.syn-lost')])
    word = 'ip6' if lab.family == socket.AF_INET6 else 'ip'
    lab.client.firewall(f'{word} saddr {talk.flow[1][0]} tcp sport 1433 tcp dport {talk.flow[0][1]} drop')
    quietly(talk.connect, 8, False)
    talk.client.close()
    lab.sleep(1)
  lab.run_all(one, range(2))


@scenario('field-device-takes')
def device_takes(lab):
  """A device ends the client's connection in the server's name: it takes what the client says, cannot reach the server, and resets."""
  def one(how):
    talk = lab.talk()
    ttl, far = how
    talk.variant = str(how)
    talk.label = truth.label('network.device-answers', 'network.device-reset', *DROP, ('unknown', 'server.login-stalled'), *OPEN,
                             ('unknown', 'server.closed-in-login'),
                             client=[('server', 'server.login-stalled'), ('server', 'server.closed-in-login'), ('server', 'server.reset')] if far else [])
    lab.device.rule('answer', talk.flow, 'to_server', ttl=ttl or (128 if lab.look.windows_server else 64) - lab.look.hops,
                    reset_after=4.0, takes=True, seconds=2 * lab.look.one_way_s if far else 0.0)
    talk.connect(5, accept=False)
    lab.sleep(0.002)
    quietly(talk.client_prelogin)
    wait_for_login(talk, 6)
  lab.run_all(one, [(63, False), (None, True), (None, False)])


@scenario('field-inspection-drops-data')
def inspection_drops_data(lab):
  """An intrusion prevention system drops what carries a certain payload, however often it is sent; acknowledgements and keep-alives pass."""
  def one(way):
    talk = lab.talk(encryption='no').open()
    talk.variant = way
    talk.label = truth.label('network.drop-to-server' if way == 'to_server' else 'network.drop-to-client', *DROP,
                             ('network', 'network.loss'), ('network', 'network.mtu-black-hole'), alone=OPEN + [('unknown', 'network.loss')])
    talk.work(2)
    talk.server.keep_alive(3)
    talk.client.keep_alive(3)
    lab.device.rule('drop', talk.flow, way, only='data')
    talk.request()
    server = threading.Thread(target=quietly, args=(answer_phase, talk, 'request'), daemon=True)
    server.start()
    try:
      talk.client.receive(11)
    except Closed:
      pass
    talk.client.close()
    lab.sleep(2)
  lab.run_all(one, ['to_server', 'to_client', 'to_server'])


@scenario('field-outage-heals', quiet=True)
def outage_heals(lab):
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


@scenario('field-two-machines-answer')
def two_machines_answer(lab):
  """Two machines have the server's address: the other's answer to the SYN comes first, and the server resets what it does not know."""
  def one(ttl):
    talk = lab.talk()
    talk.variant = f'ttl {ttl}'
    talk.label = truth.label('network.device-answers', ('network', 'network.device-reset'), *OPEN, ('unknown', 'server.reset'),
                             ('unknown', 'server.not-listening'), ('unknown', 'server.backlog-full'), ('unknown', 'none.probe'))
    lab.device.rule('answer', talk.flow, 'to_server', only='syn', ttl=ttl or (128 if lab.look.windows_server else 64) - lab.look.hops, passes=True)
    quietly(talk.connect, 5, False)
    quietly(talk.client_prelogin)
    wait_for_login(talk, 3)
    lab.sleep(1)
  lab.run_all(one, [None, 62, None])


@scenario('field-router-reports', family=socket.AF_INET)
def router_reports(lab):
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


@scenario('field-pool-behind-dead-way', quiet=True)
def pool_behind_dead_way(lab):
  """An idle pool finds the way dead, one connection after the other, and opens new ones, which work: a device forgot the idle ones."""
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.open()
    talk.query()
    talk.label = truth.label('network.idle-drop', *DROP, alone=OPEN, client=[('network', 'network.idle-drop')], server=[('none', 'none.normal')])
  lab.run_all(one, talks)
  lab.sleep(5)
  for talk in talks:
    lab.device.rule('drop', talk.flow)
  def use(talk):
    lab.sleep(0, 3)
    quietly(talk.request)
    wait_for_answer(talk, 6)
    new = lab.talk().open()
    new.work(2)
    new.close()
  lab.run_all(use, talks)


@scenario('field-login-cut-by-tls-inspection')
def cut_by_inspection(lab):
  """A device that looks into TLS drops the server's certificates for some clients, or resets both ends at the ClientHello."""
  def one(how):
    talk = lab.talk(encryption='full')
    talk.variant = how
    talk.label = truth.label('network.drop-to-client' if how == 'drop' else 'network.device-reset', *DROP, ('network', 'network.mtu-black-hole'),
                             alone=RESET_OPEN + [('unknown', 'network.mtu-black-hole'), ('unknown', 'server.tls-refused')],
                             client=[('network', 'network.mtu-black-hole')])
    login_until(talk, 'tls')
    if how == 'drop':
      lab.device.rule('drop', talk.flow, 'to_client', only='data')
      talk.tls_flight(talk.client, talk.server)
      sender = threading.Thread(target=quietly, args=(talk.server.send, talk.driver.answer_type, talk.server.handshake_step()), daemon=True)
      sender.start()
      wait_for_login(talk, 8)
      return
    lab.device.rule('drop', talk.flow, 'to_server', only='data')
    send_phase(talk, 'tls')
    lab.sleep(0.001)
    for end in ('client', 'server') if how == 'reset' else ('client',):
      lab.device.forge_reset(talk.flow, end, None, True)
    lab.sleep(0.5)
    talk.client.close()
  lab.run_all(one, ['drop', 'reset', 'reset to client', 'drop'])


@scenario('field-half-of-the-ways-dead')
def half_of_the_ways_dead(lab):
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
    server = threading.Thread(target=quietly, args=(answer_phase, talk, 'request'), daemon=True)
    server.start()
    wait_for_answer(talk)
  lab.run_all(one, ['works', 'no answer', 'stops', 'works', 'stops'])


@scenario('field-login-through-a-slow-tunnel')
def login_through_slow_tunnel(lab):
  """The way gets slow by seconds in the middle of logins with TLS: clients give up, by FIN or reset; the server answers all the same."""
  def one(how):
    talk = lab.talk(encryption='full')
    talk.variant = how
    talk.label = truth.label('network.delay', *DROP, ('network', 'network.loss'), alone=OPEN + [('unknown', 'client.closed-in-login'), ('unknown', 'network.delay'), ('unknown', 'server.login-late')],
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


@scenario('field-server-process-dies-in-logins')
def server_dies_in_logins(lab):
  """The server's process dies while logins are under way: the system ends them, by FIN or by a reset where bytes are unread."""
  def one(phase):
    talk = lab.talk(encryption='full' if phase == 'tls' else 'no')
    talk.variant = phase
    talk.label = truth.label('server.closed-in-login', 'server.reset', 'server.closed-many', 'server.tls-refused', 'server.backlog-full',
                             client=[('unknown', 'server.closed-in-login'), ('unknown', 'server.reset')])
    login_until(talk, phase)
    send_phase(talk, phase)
    if phase == 'prelogin':
      talk.server.receive()
    return talk
  talks = []
  lab.run_all(lambda phase: talks.append(one(phase)), ['prelogin', 'tls', 'login', 'login'])
  lab.sleep(0.5)
  for talk in talks:
    talk.server.close()
  lab.sleep(0.5)
  for talk in talks:
    talk.client.close()


@scenario('field-reset-lost')
def reset_lost(lab):
  """The server resets sessions, and the reset gets lost: the client's next request finds no connection, and is refused."""
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('server.reset', 'server.closed-many', *OPEN, ('network', 'network.loss'), ('unknown', 'server.reset'))
    talk.query()
    rule = lab.device.rule('drop', talk.flow, 'to_client', only='reset')
    talk.server.reset()
    lab.sleep(5)
    lab.device.lift(rule)
    quietly(talk.request)
    wait_for_login(talk, 3)
  lab.run_all(one, range(3))


@scenario('field-kernel-eats-syn-for-a-while')
def server_ignores_for_a_while(lab):
  """The server's firewall is loaded anew and eats everything for four seconds: who asks meanwhile asks again, and is served."""
  def one(what):
    talk = lab.talk(encryption='no')
    talk.variant = what
    talk.label = truth.label('server.no-answer', ('server', 'server.no-ack'), ('server', 'server.backlog-full'), ('none', 'none.normal'), *OPEN,
                             client=[('network', 'network.loss'), ('network', 'network.syn-lost'), ('network', 'network.delay')])
    if what == 'open':
      talk.open()
      lab.sleep(2)
      quietly(talk.query)
      talk.work(2)
      talk.close()
      return
    lab.sleep(1.5, 3)
    talk.connect(15)
    talk.prelogin()
    talk.login()
    talk.work(2)
    talk.close()
  for talk in lab.talks:
    talk.label = truth.label('none.normal', ('server', 'server.no-ack'), *OPEN, ('network', 'network.loss'), ('network', 'network.delay'))
  threads = [lab.run_beside(one, what) for what in ('open', 'new', 'new', 'open')]
  lab.sleep(1.2)
  lab.server.firewall('tcp dport 1433 drop')
  lab.sleep(4)
  lab.server.lift_firewall()
  for thread in threads:
    thread.join(40)


@scenario('field-answer-dropped-once', giants=False)
def answer_dropped_once(lab):
  """Of an answer its last packet gets lost again and again for some seconds, and then comes: the query was slow on the way only."""
  def one(count):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full'])).open()
    talk.variant = str(count)
    talk.label = truth.label('network.loss', *DROP, ('network', 'network.delay'), alone=OPEN, client=[('none', 'none.normal'), ('none', 'server.slow-response'), ('network', 'network.loss')])
    talk.work(2)
    lab.device.rule('drop', talk.flow, 'to_client', only='data', count=count)
    quietly(talk.query, 900)
    talk.work(2)
    talk.close()
  lab.run_all(one, [3, 4, 5])
