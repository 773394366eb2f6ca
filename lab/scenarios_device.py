"""A device on the path is at fault: it resets, answers, refuses, forgets, or drops what it does not like."""

import socket
import struct
import threading

import tds
import truth
from lab import scenario
from scenarios_healthy import Proxy
from steps import answer_beside, login_until, quietly, send_phase, wait_for_answer, wait_for_login
from talk import Closed
from truth import DROP, OPEN, RESET_OPEN, SYN_OPEN


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


@scenario('network-device-takes')
def network_device_takes(lab):
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


@scenario('network-two-machines-answer')
def network_two_machines_answer(lab):
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


@scenario('network-firewall-rejects-syn')
def network_firewall_rejects_syn(lab):
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


@scenario('network-firewall-rejects-port', quiet=True)
def network_firewall_rejects_port(lab):
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


@scenario('network-firewall-loses-state')
def network_firewall_loses_state(lab):
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


@scenario('network-firewall-sees-half')
def network_firewall_sees_half(lab):
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


@scenario('network-unscaled', giants=False)
def network_unscaled(lab):
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


@scenario('network-inspection-drops-data')
def network_inspection_drops_data(lab):
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
    answer_beside(talk, 'request')
    try:
      talk.client.receive(11)
    except Closed:
      pass
    talk.client.close()
    lab.sleep(2)
  lab.run_all(one, ['to_server', 'to_client', 'to_server'])


@scenario('network-login-cut-by-tls-inspection')
def network_login_cut_by_tls_inspection(lab):
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


@scenario('network-reset-while-waiting')
def network_reset_while_waiting(lab):
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


@scenario('network-nat-forgets-one-way')
def network_nat_forgets_one_way(lab):
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


@scenario('network-pool-behind-dead-way', quiet=True)
def network_pool_behind_dead_way(lab):
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


@scenario('network-proxy-times-out')
def network_proxy_times_out_apart(lab):
  """A proxy ends connections whose query runs for longer than 10 s, each at another moment."""
  proxy = Proxy(lab)
  def one(how):
    number, how = how
    lab.sleep(number * 2.3)
    talk = lab.talk(listener=proxy.listener, driver=tds.DRIVERS[0])
    talk.variant = how
    talk.label = truth.label('network.device-reset', 'network.idle-drop', *RESET_OPEN, ('unknown', 'server.closed-session'),
                             alone=[('unknown', 'client.abort')], server=[('server', 'server.query-timeout'), ('server', 'server.slow-response')],
                             client=[('server', 'server.closed-session'), ('server', 'server.reset')])  # whoever has that address closes
    proxy.open(talk)
    talk.rest_of_login()
    talk.query()
    talk.request()
    talk.server.receive()
    pair = next(pair for pair in proxy.pairs if pair[1].getsockname()[:2] == talk.flow_at_server[0])
    lab.sleep(10)
    for sock in pair:
      if how == 'reset':
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        sock.shutdown(socket.SHUT_RD)
        sock.close()
      else:
        sock.shutdown(socket.SHUT_RDWR)
    lab.sleep(0.5)
    talk.client.close()
    quietly(talk.answer)
    talk.server.close()
  lab.run_all(one, list(enumerate(['reset', 'fin', 'reset', 'fin'])))


@scenario('network-syn-proxy-alone', giants=False)
def network_syn_proxy_alone(lab):
  """A SYN proxy cannot reach the server: the client has a connection, and nothing comes."""
  def one(seconds):
    talk = lab.talk()
    lab.device.rule('drop', talk.flow, 'to_client', only='synack')
    lab.device.rule('synproxy', talk.flow, None, ttl=lab.rng.choice([64, 128 - lab.look.hops, 254]))
    talk.label = truth.label('network.device-answers', *DROP, ('network', 'network.syn-lost'), alone=SYN_OPEN)
    talk.connect(5, accept=False)
    quietly(talk.client_prelogin)
    wait_for_login(talk, seconds)
    lab.sleep(1)
  lab.run_all(one, [5, 10])


@scenario('network-nat-port-clash', giants=False)
def network_nat_port_clash(lab):
  """A NAT out of ports gives two connections the same one: the second one's packets fall into the first."""
  def one(_):
    first = lab.talk()
    outside = '2001:db8:aaaa::1' if lab.family == socket.AF_INET6 else '100.64.7.9'
    seen = ((outside, first.flow[0][1]), first.flow[1])
    lab.device.translate(first.flow, seen)
    first.flow_at_server = seen
    first.label = truth.label('network.device-reset', *DROP, ('network', 'network.device-answers'), ('network', 'network.device-alters'), *RESET_OPEN,
                              ('unknown', 'server.closed-session'), server=[('none', 'none.normal')])
    first.open()
    first.work(2)
    second = lab.talk(client=lab.client2)
    second.label = truth.label('network.syn-lost', *DROP, ('network', 'network.device-reset'), ('network', 'network.device-answers'), *SYN_OPEN,
                               ('none', 'none.normal'), ('none', 'none.probe'))
    lab.device.translate(second.flow, seen)
    second.flow_at_server = seen
    quietly(second.connect, 5, False)
    second.client.close()
    quietly(first.request)
    wait_for_login(first, 5)
  lab.run_all(one, range(2))


@scenario('network-address-flaps', quiet=True)
def network_address_flaps(lab):
  """Two machines have the server's address, and the way leads now to the one, now to the other (ARP flapping)."""
  address = lab.server.addresses[lab.family]
  lab.server2.add_address(address)
  old = [lab.talk() for _ in range(5)]
  def one(talk):
    talk.open()
    talk.work(2)
    talk.label = truth.label('network.device-reset', *DROP, ('network', 'network.loss'), *RESET_OPEN, ('unknown', 'server.closed-many'),
                             ('unknown', 'server.not-listening'), ('unknown', 'none.probe'), ('network', 'network.device-answers'),
                             server=[('none', 'none.normal')])
  lab.run_all(one, old)
  lab.device.move(address, lab.server2.addresses[lab.family])
  def use(talk):
    lab.sleep(0, 1)
    quietly(talk.request)
    wait_for_login(talk, 3)
  def new(_):
    talk = lab.talk()
    talk.variant = 'new'
    talk.label = truth.label('network.device-reset', ('network', 'network.syn-lost'), ('network', 'network.device-answers'), *SYN_OPEN,
                             ('unknown', 'server.not-listening'), ('unknown', 'server.backlog-full'),
                             client=[('server', 'server.not-listening'), ('server', 'server.backlog-full')])
    quietly(talk.connect, 2, False)
    talk.client.close()
  lab.run_all(lambda job: job[0](job[1]), [(use, t) for t in old] + [(new, 0), (new, 1)])
  lab.device.move(address, lab.server.addresses[socket.AF_INET if lab.family == socket.AF_INET6 else socket.AF_INET6])
  lab.sleep(1)
  after = lab.talk().open()
  after.work(3)
  after.close()
