"""The server is at fault for what its machine or instance is in: starved, full, moved, behind its own firewall, or of another version."""

import threading
import time

import tds
import truth
from lab import scenario
from scenarios_network import loss_label
from scenarios_server import end_it
from steps import login_until, quietly, refused_login, send_phase, wait_for_login
from talk import Listener
from truth import DROP, OPEN, RESET_OPEN, SYN_OPEN


@scenario('server-shut-window-in-login')
def server_shut_window_in_login(lab):
  """The server takes a part of a long login and no more: its window shuts."""
  slow = lab.listener(lab.server, 1466, receive_room=4096)
  def one(end):
    talk = lab.talk(listener=slow, encryption='no')
    talk.variant = end
    talk.label = truth.label('server.login-stalled', 'server.login-late', 'server.slow-response', 'server.no-ack', *OPEN)
    talk.connect()
    talk.prelogin()
    login = tds.packets(tds.LOGIN, tds.login7(talk.driver, host='APP', user='u', password='p', server='s', database='d') + bytes(40_000))
    writer = threading.Thread(target=quietly, args=(talk.client.send_raw, login), daemon=True)
    writer.start()
    lab.sleep(10)
    end_it(talk.client, end)
    lab.sleep(2)
    talk.server.close()
  lab.run_all(one, ['reset', 'fin'])


@scenario('server-login-storm', quiet=True)
def server_login_storm(lab):
  """After a restart everybody logs in at once; the server does one login after the other, and the last ones give up."""
  one_at_a_time = threading.Lock()
  before = lab.talk().open()
  before.work(2)
  before.close()
  def one(_):
    talk = lab.talk(encryption='no')
    began = time.monotonic()
    talk.connect()
    talk.client_prelogin()
    if not one_at_a_time.acquire(timeout=max(0.01, began + 6 - time.monotonic())):
      talk.variant = 'gave up'
      talk.label = truth.label('server.login-late', 'server.login-stalled')
      talk.client.half_close()
      lab.sleep(3)
      quietly(talk.server.receive)
      quietly(talk.server_prelogin)
      talk.client.close()
      talk.server.close()
      return
    with_lock = time.monotonic() - began
    talk.variant = f'waited {with_lock:.1f}'
    talk.label = truth.label('none.normal', ('none', 'server.login-late'), ('server', 'server.login-late'))
    talk.server.receive()
    lab.sleep(0.4)
    talk.server_prelogin()
    one_at_a_time.release()
    talk.client.receive()
    talk.login()
    talk.query()
    talk.close()
  lab.run_all(one, range(24))


@scenario('server-starved', quiet=True)
def server_starved(lab):
  """No worker is free for 8 s: logins and queries wait; the patient ones are served, the others give up."""
  free = threading.Event()
  late = [('none', 'server.login-late'), ('server', 'server.login-late'), ('server', 'server.slow-response'), ('none', 'server.slow-response')]
  old = [lab.talk().open() for _ in range(3)]
  def query(talk):
    talk.label = truth.label('server.slow-response', ('none', 'none.normal'), ('none', 'server.slow-response'))
    talk.request()
    free.wait(20)
    talk.server.receive()
    talk.answer(300)
    talk.client.receive()
    talk.work(1)
    talk.close()
  def login(patient):
    lab.sleep(0, 1)
    talk = lab.talk(encryption=lab.rng.choice(['no', 'login']))
    talk.variant = 'patient' if patient else 'gives up'
    talk.connect()
    talk.client_prelogin()
    if patient:
      talk.label = truth.label('none.normal', *late)
      free.wait(20)
      talk.server.receive()
      talk.server_prelogin()
      talk.client.receive()
      if talk.encryption != 'no':
        talk.tls()
      talk.login()
      talk.work(1)
      talk.close()
      return
    talk.label = truth.label('server.login-late', 'server.login-stalled')
    lab.sleep(5)
    talk.client.half_close()
    free.wait(20)
    quietly(talk.server.receive)
    quietly(talk.server_prelogin)
    talk.client.close()
    talk.server.close()
  threads = [lab.run_beside(query, t) for t in old] + [lab.run_beside(login, n % 2 == 0) for n in range(6)]
  lab.sleep(9)
  free.set()
  for thread in threads:
    thread.join(40)


@scenario('server-pauses-in-response')
def server_pauses_in_response(lab):
  """The server sends a part of its answer, waits (a lock), and sends the rest; one client calls it off."""
  def one(how):
    talk = lab.talk(encryption='no' if how != 'encrypted' else 'full').open()
    talk.variant = how
    talk.label = truth.label('server.slow-response', ('none', 'none.normal'), ('none', 'server.slow-response'), 'server.query-timeout',
                             ('none', 'server.query-timeout'), *([('client', 'client.abort'), *OPEN] if how in ('closes', 'resets') else []))
    talk.query()
    talk.request()
    talk.server.receive()
    data = tds.packets(tds.RESPONSE, tds.result(20_000), 4096)
    whole = talk.server
    whole.send_plain(data[:8192])
    lab.sleep(11)
    if how == 'attention':
      talk.client.send(tds.ATTENTION, b'')
      lab.sleep(0.01)
      whole.send_plain(data[8192:])
      quietly(whole.receive)
      whole.send(tds.RESPONSE, tds.done(0x20))
      talk.client.receive()
      talk.client.receive()
      talk.query()
    elif how == 'closes':
      talk.client.half_close()
      talk.server.read_away(0.5)
      talk.server.close()
      talk.client.close()
    elif how == 'resets':
      talk.client.reset()
      lab.sleep(0.5)
      talk.server.close()
    else:
      whole.send_plain(data[8192:])
      talk.client.receive()
      talk.query()
    if how in ('goes on', 'attention', 'encrypted'):
      talk.close()
  lab.run_all(one, ['goes on', 'attention', 'closes', 'encrypted', 'resets'])


@scenario('server-listener-moves', quiet=True)
def server_listener_moves(lab):
  """The primary dies and another machine takes its address: it refuses what it does not know, and serves who comes new."""
  how = lab.rng.choice(['silent', 'reset'])
  talks = [lab.talk() for _ in range(5)]
  def one(talk):
    talk.variant = how
    talk.label = truth.label('server.reset', 'server.closed-many', 'network.device-reset', *RESET_OPEN, ('unknown', 'server.closed-many'),
                             server=[('none', 'none.normal')])
    talk.open()
    talk.work(2)
  lab.run_all(one, talks)
  address = lab.server.addresses[lab.family]
  if how == 'reset':
    for talk in talks:
      talk.server.reset()
  lab.server.cable('down')
  dead = lab.talk()
  dead.variant = 'while nobody has it'
  dead.label = truth.label('network.syn-lost', *DROP, *SYN_OPEN)
  quietly(dead.connect, 2, False)
  dead.client.close()
  lab.server2.add_address(address)
  lab.device.move(address, lab.server2.addresses[lab.family])
  other = Listener(lab.server2, lab.family, 1433, address=address)
  lab.listeners['other', 1433] = other
  def use(talk):
    lab.sleep(0, 2)
    quietly(talk.request)
    wait_for_login(talk, 3)
    new = lab.talk(listener=other).open()
    new.work(3)
    new.close()
  lab.run_all(use, talks)


@scenario('server-security-resets')
def server_security_resets(lab):
  """The server machine's own firewall begins to refuse what comes for a connection, with a reset to the client (rules loaded anew)."""
  def one(phase):
    talk = lab.talk(encryption='no')
    talk.variant = phase
    talk.label = truth.label('server.reset', 'server.no-ack', 'server.closed-in-login', 'server.not-listening', 'server.no-answer', *RESET_OPEN,
                             ('unknown', 'server.not-listening'), ('unknown', 'server.closed-session'), client=[('server', 'server.backlog-full')])
    if phase == 'syn':
      lab.server.refuse(talk.flow_at_server, 'reject with tcp reset')
      quietly(talk.connect, 3, False)
      talk.client.close()
      return
    login_until(talk, 'login' if phase == 'login' else 'request')
    talk.server.keep_alive(3)
    if phase == 'response':
      talk.request()
      talk.server.receive()
      lab.server.refuse(talk.flow_at_server, 'reject with tcp reset')
      threading.Thread(target=talk.answer_quietly, args=(100_000,), daemon=True).start()
    else:
      lab.server.refuse(talk.flow_at_server, 'reject with tcp reset')
      send_phase(talk, phase)
    wait_for_login(talk, 8)
    lab.sleep(4)
  lab.run_all(one, ['login', 'request', 'response'])


@scenario('server-card-overruns', giants=False, quiet=True)
def server_card_overruns(lab):
  """The server's card runs out of buffers for some tenths of a second, again and again: what comes then is in no capture of that machine."""
  lab.every_label = loss_label
  def one(_):
    talk = lab.talk().open()
    for _ in range(30):
      talk.query(size=lab.rng.choice([300, 20_000]))
      lab.sleep(0.05, 0.3)
    quietly(talk.close)
  threads = [lab.run_beside(one, n) for n in range(6)]
  for _ in range(6):
    lab.sleep(1)
    number = lab.device.rule('drop', None, 'to_server')
    lab.sleep(0.3)
    lab.device.lift(number)
  for thread in threads:
    thread.join(60)


@scenario('server-card-resets', quiet=True)
def server_card_resets(lab):
  """The server's network card is reset by its driver: its link is down for 4 s."""
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.label = truth.label('network.loss', *DROP, ('network', 'network.delay'), ('none', 'none.normal'), ('server', 'server.no-ack'), *OPEN,
                             ('none', 'server.slow-response'))
    talk.open()
    talk.work(2)
  lab.run_all(one, talks)
  lab.server.cable('down')
  def use(talk):
    for _ in range(3):
      quietly(talk.query)
    quietly(talk.close)
  threads = [lab.run_beside(use, talk) for talk in talks]
  lab.sleep(4)
  lab.server.cable('up')
  lab.server.routes()
  for thread in threads:
    thread.join(60)


@scenario('server-refuses-for-its-database')
def server_azure_refusals(lab):
  """Refusals because of the server's or the service's state."""
  def one(number):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'login']))
    talk.variant = str(number)
    talk.label = truth.label('server.closed-in-login', ('server', 'client.login-refused'), ('none', 'client.login-refused'),
                             *([('client', 'client.login-refused')] if number in (40615, 18452, 976, 978) else []),
                             *([('unknown', 'client.login-refused')] if number == 17892 else []))
    refused_login(talk, number, lab.rng.random() < 0.5)
  lab.run_all(one, [40197, 40501, 49918, 10929, 976, 978, 40615, 17892, 18452, 983, 942, 9001])


@scenario('server-knows-no-strict')
def server_knows_no_strict(lab):
  """The client begins with TLS (TDS 8), which this server does not know: it takes that for a broken PRELOGIN, and ends the connection."""
  def one(how):
    talk = lab.talk(encryption='strict')
    talk.variant = how
    talk.label = truth.label('server.tls-refused', 'server.closed-in-login', 'server.reset', ('client', 'server.tls-refused'),
                             ('unknown', 'server.closed-in-login'), ('unknown', 'server.tls-refused'), client=RESET_OPEN)
    talk.connect()
    talk.begin_tls()
    talk.client.send_raw(talk.client.handshake_step())
    talk.server.receive_raw()
    lab.sleep(0.01)
    end_it(talk.server, how)
    talk.client.read_away(1)
    talk.client.close()
    talk.drop()
  lab.run_all(one, ['fin', 'reset', 'fin'])
