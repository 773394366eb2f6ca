"""Captures that do not hold what one would conclude from: windows that end too early, gaps, the wrong machine, several faults at once, or inside MARS."""

import time

import truth
from lab import scenario
from scenarios_network import loss_label
from steps import answer_beside, login_until, quietly, send_phase, wait_for_answer, wait_for_login
from truth import DROP, OPEN, RESET_OPEN

STOPS_S = 5.5  # when the capture of one end stops; faults begin later


def _stops_early(lab, side):
  """One end's capture ends before the faults: nothing can be said of what that end did in them."""
  lab.look.window[side] = (0, STOPS_S)
  lab.every_label = truth.label('none.normal', **{side: OPEN})
  for talk in lab.talks:
    talk.label = lab.every_label


@scenario('trap-server-capture-stopped')
def trap_server_capture_stopped(lab):
  """The server stalls or eats packets after its own capture stopped: what is missing there was not lost on the way."""
  _stops_early(lab, 'server')
  def one(what):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full']))
    talk.variant = what
    before = [('none', 'none.normal')] + OPEN
    if what == 'no ack':
      talk.label = truth.label('server.no-ack', 'server.no-answer', *OPEN, client=OPEN, server=before)
    else:
      talk.label = truth.label('server.query-timeout', 'server.slow-response', ('client', 'server.query-timeout'),
                               ('client', 'client.abort'), *OPEN, server=before)
    talk.open()
    talk.work(2)
    lab.sleep(4)
    if what == 'no ack':
      lab.server.refuse(talk.flow_at_server)
    talk.request()
    wait_for_answer(talk)
    lab.sleep(1)
  lab.run_all(one, ['no ack', 'no answer', 'no ack'])


@scenario('trap-client-capture-stopped')
def trap_client_capture_stopped(lab):
  """The client machine eats packets, or reads nothing, after its own capture stopped."""
  _stops_early(lab, 'client')
  def one(_):
    talk = lab.talk(encryption='no')
    talk.label = truth.label('client.no-ack', *OPEN, client=[('none', 'none.normal')] + OPEN)
    talk.open()
    talk.work(2)
    lab.sleep(4)
    lab.client.refuse(talk.flow[::-1])
    talk.request()
    answer_beside(talk, 'request')
    wait_for_answer(talk)
    lab.sleep(1)
  lab.run_all(one, range(3))


@scenario('trap-reset-missed-by-capture')
def trap_reset_missed(lab):
  """The server resets sessions, and its own capture misses packets, some of the resets among them: no device sent those."""
  side = lab.rng.choice(['server', 'client'])
  lab.look.missed[side] = (0.12, 3)
  unseen = [('none', 'none.normal')]
  def one(who):
    talk = lab.talk().open()
    talk.variant = f'by {who}, gaps at {side}'
    talk.work(2)
    talk.request()
    talk.server.receive()
    lab.sleep(0.3, 3)
    if who == 'server':
      talk.label = truth.label('server.reset', 'server.closed-many', *OPEN, **{side: unseen})
      talk.server.reset()
      lab.sleep(0.3)
      talk.client.close()
    else:
      talk.label = truth.label('client.abort', *OPEN, **{side: unseen})
      talk.client.reset()
      lab.sleep(0.3)
      talk.server.close()
  lab.run_all(one, ['server', 'client'] * 4)


@scenario('trap-loss-and-gaps', giants=False)
def trap_loss_and_gaps(lab):
  """Packets are really lost on the way, and one end's capture misses more than that: the other end's is whole, and shows it."""
  lab.look.missed[lab.rng.choice(['client', 'server'])] = (0.15, 3)
  def one(_):
    talk = lab.talk(encryption='no')
    talk.label = loss_label
    talk.open()
    lab.device.rule('drop', talk.flow, chance=0.06)
    for _ in range(10):
      talk.query(size=20_000)
    quietly(talk.close)
  lab.run_all(one, range(3))


def stall_in_login(talk):
  """The server never answers LOGIN7."""
  talk.label = truth.label('server.login-stalled', 'server.login-late')
  login_until(talk, 'login')
  send_phase(talk, 'login')
  wait_for_login(talk, 5)


@scenario('trap-other-machine-captured', captured={'server': 'server2'})
def trap_other_machine(lab):
  """The "server's" capture was taken on another node: it covers the time, and has nothing of the client's connections."""
  def one(what):
    talk = lab.talk(encryption='full')
    talk.variant = what
    if what == 'stalled':
      stall_in_login(talk)
      return
    if what == 'closed':
      talk.label = truth.label('server.closed-in-login', 'server.reset', *OPEN)
      login_until(talk, 'prelogin')
      send_phase(talk, 'prelogin')
      talk.server.receive()
      talk.server.reset()
      lab.sleep(0.4)
      talk.client.close()
      return
    talk.open()
    talk.work(4)
    talk.close()
  lab.run_all(one, ['healthy', 'stalled', 'closed', 'healthy'])


@scenario('trap-half-captured', half={'server'})
def trap_half_captured(lab):
  """One of two teamed cards is captured at the server: half of the connections are not there, healthy ones and others."""
  def one(what):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full']))
    talk.variant = what
    if what == 'stalled':
      stall_in_login(talk)
      return
    if what == 'reset':
      talk.label = truth.label('server.reset', 'server.closed-many', *OPEN)
    talk.open()
    talk.work(4)
    if what == 'reset':
      talk.request()
      talk.server.receive()
      talk.server.reset()
      lab.sleep(0.3)
      talk.client.close()
      return
    talk.close()
  lab.run_all(one, ['healthy', 'stalled', 'reset', 'healthy', 'stalled', 'reset', 'healthy'])


@scenario('trap-several-faults', giants=False)
def trap_several_faults(lab):
  """Several faults in one capture: each connection has its own."""
  def lost():
    talk = lab.talk()
    talk.label = truth.label('network.drop-to-client', 'network.idle-drop', alone=DROP + OPEN)
    talk.open()
    talk.query()
    lab.device.rule('drop', talk.flow, 'to_client')
    talk.request()
    answer_beside(talk, 'request')
    wait_for_answer(talk)
  def stalled():
    talk = lab.talk()
    talk.label = truth.label('server.login-stalled', 'server.login-late')
    login_until(talk, 'login')
    send_phase(talk, 'login')
    wait_for_login(talk, 15)
  def slow():
    talk = lab.talk()
    talk.label = truth.label('server.slow-response', ('none', 'none.normal'), ('none', 'server.slow-response'))
    talk.open()
    talk.query(server_s=9)
    talk.close()
  def aborts():
    talk = lab.talk()
    talk.label = truth.label('client.abort', ('unknown', 'client.abort'))
    talk.open()
    talk.work(3)
    talk.request()
    talk.server.receive()
    lab.sleep(0.4)
    talk.client.reset()
    lab.sleep(0.3)
    talk.server.close()
  def refused():
    talk = lab.talk(server_port=1599)
    talk.listener.close()
    talk.label = truth.label('server.not-listening', 'server.backlog-full')
    quietly(talk.connect, 3, False)
    talk.client.close()
  threads = [lab.run_beside(work) for work in (lost, stalled, slow, aborts, refused, lost)]
  for thread in threads:
    thread.join(60)


@scenario('trap-nat-rebinds', nat='ports')
def trap_nat_rebinds(lab):
  """A NAT forgets an idle connection and gives the client another port: the server does not know it, and answers with a reset."""
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('network.device-reset', 'network.idle-drop', *DROP, alone=OPEN, server=[('none', 'none.normal')])
    talk.query()
    lab.sleep(8, 11)
    (address, port), server = talk.flow_at_server
    lab.device.translate(talk.flow, ((address, port + 1 if port < 65000 else port - 1), server))
    quietly(talk.request)
    wait_for_login(talk, 4)
    lab.sleep(1)
  lab.run_all(one, range(3))


@scenario('trap-late-by-a-little')
def trap_late_by_a_little(lab):
  """The login's answer leaves the server in time and meets the client's FIN on the way; or comes just before it."""
  def one(how):
    talk = lab.talk(encryption='no')
    talk.variant = how
    login_until(talk, 'login')
    send_phase(talk, 'login')
    talk.server_reads_login()
    lab.sleep(5)
    if how == 'crossing':
      talk.label = truth.label('server.login-late', 'server.login-stalled', ('client', 'client.closed-in-login'), *OPEN)
      talk.client.half_close()
      talk.answer_login()
      lab.sleep(0.5)
      talk.client.close()
      talk.server.close()
      return
    talk.label = truth.label('none.normal', ('server', 'server.login-late'), ('none', 'server.login-late'))
    talk.answer_login()
    talk.client.receive()
    talk.query()
    talk.close()
  lab.run_all(one, ['crossing', 'just in time', 'crossing'])


@scenario('trap-loss-and-stall', giants=False)
def trap_loss_and_stall(lab):
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


@scenario('trap-mars')
def trap_mars(lab):
  """Faults of connections with MARS: the path dies, a device resets, the server resets, the server is slow."""
  def one(how):
    talk = lab.talk(mars=True, encryption=lab.rng.choice(['no', 'login', 'full']))
    talk.variant = how
    talk.open_session()
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
      talk.label = truth.label('network.device-reset', alone=truth.RESET_OPEN)
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


@scenario('trap-hole')
def trap_hole(lab):
  """One file of a series is gone: five seconds are missing in one capture, in which sessions are reset, closed and made."""
  side = lab.rng.choice(['client', 'server'])
  lab.look.hole[side] = (4.5, 9.5)
  hidden = {side: OPEN + [('none', 'none.normal')], 'both': RESET_OPEN + [('unknown', 'client.abort')]}
  lab.every_label = truth.label('none.normal', **{side: OPEN})
  for talk in lab.talks:
    talk.label = lab.every_label
  def in_hole():
    lab.sleep(max(0, lab.began_ns / 1e9 + 6 + lab.rng.random() - time.time()))
  def one(what):
    talk = lab.talk()
    talk.variant = f'{what}, {side}'
    if what == 'made in it':
      in_hole()
      talk.open()
      talk.work(6)
      talk.close()
      return
    if what == 'stalled':
      talk.label = _labelled('server.login-stalled', hidden, 'server.login-late')
      in_hole()
      login_until(talk, 'login')
      send_phase(talk, 'login')
      wait_for_login(talk, 5)
      return
    talk.open()
    talk.work(1)
    in_hole()
    if what == 'healthy':
      talk.work(6)
      talk.close()
      return
    talk.request()
    talk.server.receive()
    lab.sleep(0.4)
    if what == 'server resets':
      talk.label = _labelled('server.reset', hidden, 'server.closed-many', client=RESET_OPEN)
      talk.server.reset()
    else:
      talk.label = _labelled('client.abort', hidden)
      talk.client.reset()
    lab.sleep(0.5)
    talk.drop()
  lab.run_all(one, ['healthy', 'server resets', 'client aborts', 'made in it', 'stalled', 'server resets', 'client aborts'])


def _some_of_each(lab, hidden):
  """A healthy connection, a login that the server leaves alone, a reset by each end, a dead way. `hidden`: {side: more that is right}."""
  def one(what):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full']))
    talk.variant = what
    talk.label = _labelled('none.normal', hidden)
    if what == 'stalled':
      talk.label = _labelled('server.login-stalled', hidden, 'server.login-late')
      login_until(talk, 'login')
      send_phase(talk, 'login')
      wait_for_login(talk, 5)
      return
    talk.open()
    talk.work(2)
    if what == 'dead':
      talk.label = _labelled('network.drop-to-client', hidden, *DROP, alone=OPEN)
      lab.device.rule('drop', talk.flow, 'to_client')
      talk.request()
      answer_beside(talk, 'request')
      wait_for_answer(talk)
      return
    if what == 'healthy':
      talk.work(4)
      talk.close()
      return
    talk.request()
    talk.server.receive()
    lab.sleep(0.4)
    if what == 'server resets':
      talk.label = _labelled('server.reset', hidden, 'server.closed-many', client=RESET_OPEN)
      talk.server.reset()
    else:
      talk.label = _labelled('client.abort', hidden)
      talk.client.reset()
    lab.sleep(0.5)
    talk.drop()
  lab.run_all(one, ['healthy', 'stalled', 'dead', 'server resets', 'client aborts'])


def _labelled(cause, hidden, *also, alone=(), client=(), server=()):
  sides = {'client': list(alone) + list(client) + hidden.get('client', []), 'server': list(alone) + list(server) + hidden.get('server', [])}
  return truth.label(cause, *also, *hidden.get('both', []), client=sides['client'], server=sides['server'])


def _filtered(lab, kind):
  """One end's capture was made with a filter."""
  side = lab.rng.choice(['client', 'server'])
  lab.look.filtered[side] = kind
  more = OPEN + [('none', 'none.normal'), ('none', 'none.probe')]
  hidden = {side: more, 'both': RESET_OPEN}
  lab.every_label = _labelled('none.normal', hidden)
  for talk in lab.talks:
    talk.label = lab.every_label
  _some_of_each(lab, hidden)


@scenario('trap-flags-only')
def trap_flags_only(lab):
  """One capture was filtered to SYN, FIN and RST."""
  _filtered(lab, 'flags')


@scenario('trap-payload-only')
def trap_payload_only(lab):
  """One capture was filtered to what carries data."""
  _filtered(lab, 'payload')


@scenario('trap-router-copies')
def trap_router_copies(lab):
  """One capture holds each packet before and behind a router."""
  lab.look.copied[lab.rng.choice(['client', 'server'])] = 'router'
  _some_of_each(lab, {})


@scenario('trap-vlan-copies', cooked={'client': False, 'server': False}, vlan={'client': 0, 'server': 0})
def trap_vlan_copies(lab):
  """One capture holds each packet with and without its VLAN's tag."""
  lab.look.copied[lab.rng.choice(['client', 'server'])] = 'vlan'
  _some_of_each(lab, {})


@scenario('trap-clocks-apart', offset_s=137.3, drift_ppm=240)
def trap_clocks_apart(lab):
  """The clocks are two minutes apart, and drift."""
  _some_of_each(lab, {})


@scenario('trap-clock-set')
def trap_clock_set(lab):
  """One machine's clock is set by seconds in the middle."""
  lab.look.clock_set[lab.rng.choice(['client', 'server'])] = (3.5, lab.rng.choice([-2.6, 3.7]))
  _some_of_each(lab, {})


@scenario('trap-headers', snaplen=66)
def trap_headers(lab):
  """Captures of little more than headers."""
  _some_of_each(lab, {side: OPEN + [('none', 'none.normal')] for side in ('client', 'server')})


@scenario('trap-giants', offload=True, giants=True)
def trap_giants(lab):
  """Captures whose packets are larger than any on the wire."""
  _some_of_each(lab, {})


@scenario('trap-overrun')
def trap_overrun(lab):
  """One capture lacks a third of its packets."""
  side = lab.rng.choice(['client', 'server'])
  lab.look.missed[side] = (0.33, 5)
  hidden = {side: OPEN + [('none', 'none.normal')], 'both': OPEN}
  _some_of_each(lab, hidden)


@scenario('trap-amid-their-work', quiet=True)
def trap_amid_their_work(lab):
  """Both captures begin when the connections are in the midst of their work; some end badly soon after."""
  begin = 3.5
  lab.look.window = {'client': (begin, None), 'server': (begin, None)}
  def one(what):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'login', 'full'])).open()
    talk.variant = what
    lab.sleep(max(0, lab.began_ns / 1e9 + begin + 0.3 - time.time()))
    talk.query()
    lab.sleep(0.2, 2)
    if what in ('healthy', 'idle'):
      if what == 'healthy':
        talk.work(5)
      else:
        lab.sleep(7)
      talk.close()
      return
    if what == 'slow':
      talk.label = truth.label('server.slow-response', ('none', 'none.normal'), ('none', 'server.slow-response'))
      talk.query(server_s=7)
      talk.close()
      return
    if what in ('dead', 'dead to server'):
      talk.label = truth.label('network.drop-both-ways' if what == 'dead' else 'network.drop-to-server', *DROP, alone=OPEN,
                               server=[('none', 'none.normal')])
      lab.device.rule('drop', talk.flow, None if what == 'dead' else 'to_server')
      talk.request()
      wait_for_answer(talk, 6)
      return
    talk.request()
    talk.server.receive()
    lab.sleep(0.4)
    if what == 'server resets':
      talk.label = truth.label('server.reset', 'server.closed-many', client=RESET_OPEN)
      talk.server.reset()
    elif what == 'client aborts':
      talk.label = truth.label('client.abort', client=[('unknown', 'client.abort')])
      talk.client.reset()
    else:
      talk.label = truth.label('network.device-reset', alone=RESET_OPEN + [('unknown', 'client.abort')])
      for end in ('client', 'server'):
        lab.device.forge_reset(talk.flow, end, 61, True)
    lab.sleep(0.5)
    talk.drop()
  lab.run_all(one, ['healthy', 'idle', 'slow', 'dead', 'dead to server', 'server resets', 'client aborts', 'device resets', 'healthy'])


@scenario('trap-everything-at-once', giants=False)
def trap_everything_at_once(lab):
  """The way loses packets, both captures miss some, their clocks drift, and connections end in each way: nobody may be accused of another's."""
  lab.device.rule('drop', chance=0.02)
  lab.look.missed = {'client': (0.02, 1), 'server': (0.03, 1)}
  lab.look.drift_ppm = 80
  hidden = {'both': OPEN + RESET_OPEN + [('network', 'network.loss'), ('none', 'none.normal')],
            'client': OPEN + [('network', 'network.loss'), ('none', 'none.normal')], 'server': OPEN + [('network', 'network.loss'), ('none', 'none.normal')]}
  lab.every_label = _labelled('none.normal', hidden)
  for talk in lab.talks:
    talk.label = lab.every_label
  _some_of_each(lab, hidden)
