"""The server is at fault, or its machine."""

import threading

import tds
import truth
from lab import scenario
from steps import login_until, quietly, send_phase, silence, wait_for_answer, wait_for_login
from talk import Closed, Listener
from truth import DROP, OPEN


def end_it(end, how):
  """Ends one end's side: by a reset, else by a FIN."""
  if how == 'reset':
    end.reset()
  else:
    end.half_close()


@scenario('server-not-listening')
def server_not_listening(lab):
  """No instance listens on the port: each SYN is answered with a reset; the client tries again as drivers do."""
  for number in range(4):
    talk = lab.talk(server_port=1434 + number // 4)
    if number == 0:
      talk.listener.close()
    talk.label = truth.label('server.not-listening', 'server.backlog-full')
    quietly(talk.connect, 3, False)
    talk.client.close()
    lab.sleep(0.3, 1.5)


@scenario('server-restarts')
def server_restarts(lab):
  """The instance stops: all sessions end at once, new ones are refused; then it listens again and all is well."""
  talks = [lab.talk(server_port=1444) for _ in range(6)]
  lab.run_all(lambda talk: talk.open(), talks)
  lab.run_all(lambda talk: talk.work(2), talks)
  talks[0].listener.close()
  how = lab.rng.choice(['fin', 'reset'])
  for talk in talks:
    talk.variant, talk.label = how, truth.label('server.closed-many', 'server.reset', 'server.closed-in-login')
    end_it(talk.server, how)
  lab.sleep(0.3)
  for talk in talks:
    talk.client.close()
  for _ in range(3):
    talk = lab.talk(server_port=1444)
    talk.variant, talk.label = 'refused', truth.label('server.not-listening', 'server.backlog-full')
    quietly(talk.connect, 3, False)
    talk.client.close()
    lab.sleep(0.5, 1)
  del lab.listeners['server', 1444]
  back = lab.talk(server_port=1444).open()
  back.work(3)
  back.close()


def fill_queue(lab, label, unserved, queries):
  """A server too busy to accept: its queue of one fills, and clients go on coming. Returns its listener and who waits there."""
  busy = Listener(lab.server, lab.family, 1455, backlog=1, accepting=True)
  lab.listeners['server', 1455] = busy
  before = lab.talk(listener=busy).open()
  before.work(queries)
  busy.may_accept.clear()
  lab.sleep(0.3)
  waker = lab.talk(listener=busy)  # the thread that accepts sits in accept() once more
  waker.open()
  def one(number):
    lab.sleep(number * 0.15)
    talk = lab.talk(listener=busy)
    talk.label = label
    try:
      talk.connect(7, accept=False)
      talk.variant = 'queued'
      talk.client_prelogin()
      wait_for_login(talk, 7)
    except Closed:
      talk.variant = unserved
      talk.client.close()
  lab.run_all(one, range(7))
  busy.may_accept.set()
  return busy, waker


@scenario('server-backlog-full')
def server_backlog_full(lab):
  """The instance is too busy to accept: the queue of connections fills; the system ignores further SYNs. Later it recovers."""
  label = truth.label('server.backlog-full', 'server.login-stalled', 'server.no-answer', 'server.not-listening', 'server.no-ack',
                      alone=OPEN, client=[('unknown', 'network.syn-lost')])
  busy, waker = fill_queue(lab, label, 'ignored', 2)
  after = lab.talk(listener=busy)
  after.label = truth.label('none.normal', 'server.backlog-full', 'network.loss')
  after.open()
  after.work(2)
  waker.close()


@scenario('server-no-answer')
def server_no_answer(lab):
  """The server machine's firewall eats the SYN of some clients: it arrives, and nothing answers."""
  def one(_):
    talk = lab.talk()
    talk.label = truth.label('server.no-answer', 'server.no-ack', client=OPEN + [('unknown', 'network.syn-lost')])
    lab.server.refuse(talk.flow_at_server)
    quietly(talk.connect, lab.rng.choice([5, 10, 15]))
    talk.client.close()
    lab.sleep(1)
  lab.run_all(one, range(3))


@scenario('server-no-ack')
def server_no_ack(lab):
  """Something on the server machine eats what arrives on established connections (filter driver)."""
  def one(phase):
    lab.sleep(0, 2)
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full']))
    talk.variant, talk.label = phase, truth.label('server.no-ack', 'server.no-answer', client=OPEN)
    login_until(talk, phase)
    lab.server.refuse(talk.flow_at_server)
    send_phase(talk, phase)
    if phase in ('prelogin', 'login'):
      wait_for_login(talk, lab.rng.choice([5, 15]))
    else:
      wait_for_answer(talk)
    lab.sleep(3)
  lab.run_all(one, ['prelogin', 'login', 'request'])


@scenario('server-login-late')
def server_login_late(lab):
  """The login's answer, or PRELOGIN's, comes after the client has given up."""
  def one(how):
    phase, end = how
    talk = lab.talk(encryption='no' if phase == 'prelogin' else lab.rng.choice(['no', 'full']))
    talk.variant, talk.label = f'{phase}, {end}', truth.label('server.login-late', 'server.login-stalled')
    login_until(talk, phase)
    send_phase(talk, phase)
    talk.server.receive()
    lab.sleep(lab.rng.choice([5, 15]))
    end_it(talk.client, end)
    lab.sleep(0.5, 2)
    if phase == 'login':
      quietly(talk.answer_login)
    else:
      quietly(talk.server_prelogin)
    talk.client.close()
    talk.server.close()
  lab.run_all(one, [('login', 'fin'), ('prelogin', 'fin'), ('login', 'reset')])


@scenario('server-login-stalled')
def server_login_stalled(lab):
  """The server machine acknowledges, the instance never answers: at PRELOGIN, in TLS, at LOGIN7; some connections survive."""
  def one(phase):
    talk = lab.talk(encryption='full' if phase == 'tls' else lab.rng.choice(['no', 'login', 'full']))
    talk.variant, talk.label = phase, truth.label('server.login-stalled', 'server.login-late')
    login_until(talk, phase)
    send_phase(talk, phase)
    wait_for_login(talk, lab.rng.choice([5, 15]))
    lab.sleep(1)
    talk.server.close()
  lab.run_all(one, ['prelogin', 'tls', 'login', 'login'])


@scenario('server-closed-in-login')
def server_closed_in_login(lab):
  """The server closes part-way through the login without a reason: by FIN or by reset."""
  def one(how):
    phase, end = how
    talk = lab.talk(encryption='full' if phase in ('tls', 'after tls') else lab.rng.choice(['no', 'login']))
    talk.variant = f'{phase}, {end}'
    talk.label = truth.label('server.closed-in-login', 'server.reset', *(['server.tls-refused'] if phase == 'tls' else []),
                             client=[('unknown', 'server.closed-in-login')])
    login_until(talk, 'login' if phase == 'after tls' else phase)
    send_phase(talk, 'login' if phase == 'after tls' else phase)
    talk.server.receive()
    lab.sleep(0.05, 2)
    end_it(talk.server, end)
    lab.sleep(0.2)
    talk.client.close()
    talk.server.close()
  lab.run_all(one, [('prelogin', 'fin'), ('tls', 'fin'), ('after tls', 'reset'), ('login', 'reset'), ('prelogin', 'reset')])


@scenario('server-reset')
def server_reset(lab):
  """The server resets a session: its process dies with a request unread, or it aborts the session."""
  def one(what):
    lab.sleep(0, 4)
    talk = lab.talk().open()
    talk.variant = what
    talk.label = truth.label('server.reset', 'server.closed-many', client=OPEN + [('unknown', 'server.reset')])
    talk.work(2)
    if what == 'dies with unread request':
      talk.request()
      lab.sleep(0.5)
      talk.server.close()
    elif what == 'aborts in response':
      talk.request()
      talk.server.receive()
      quietly(talk.server.send_raw, tds.packets(tds.RESPONSE, tds.result(9000), 4096)[:4096])
      talk.server.reset()
    else:
      lab.sleep(3)
      talk.server.reset()
    lab.sleep(0.5)
    talk.client.close()
  lab.run_all(one, ['dies with unread request', 'aborts in response', 'aborts idle'])


@scenario('server-killed-session')
def server_killed_session(lab):
  """An administrator kills a session: the server closes first, by FIN."""
  def one(what):
    talk = lab.talk().open()
    talk.variant = what
    talk.label = truth.label('server.closed-session', 'server.reset', 'server.closed-many', *OPEN)
    talk.work(2)
    if what == 'working':
      talk.request()
      talk.server.receive()
    lab.sleep(1)
    talk.server.half_close()
    quietly(talk.client.receive, 1)
    talk.client.close()
    lab.sleep(0.2)
    talk.server.close()
  lab.run_all(one, ['working', 'idle'])


@scenario('server-closed-many')
def server_closed_many(lab):
  """Many sessions and logins are closed at one instant: a failover, or an instance that dies."""
  talks = [lab.talk() for _ in range(8)]
  how = lab.rng.choice(['fin', 'reset'])
  lab.run_all(lambda talk: talk.open().work(3), talks)
  for talk in talks:
    talk.variant, talk.label = how, truth.label('server.closed-many', 'server.reset', 'server.closed-in-login')
  for talk in talks:
    end_it(talk.server, how)
  lab.sleep(0.5)
  for talk in talks:
    talk.client.close()
    talk.server.close()


@scenario('server-slow-response')
def server_slow_response(lab):
  """A query takes 10 to 25 s; the answer comes and all goes on."""
  def one(_):
    talk = lab.talk().open()
    talk.label = truth.label('server.slow-response', ('none', 'none.normal'), ('none', 'server.slow-response'))
    talk.client.keep_alive(10)
    talk.server.keep_alive(10)
    talk.query()
    talk.request()
    talk.server.receive()
    lab.sleep(10, 25)
    talk.answer(2000)
    talk.client.receive()
    talk.close()
  lab.run_all(one, range(3))


@scenario('server-query-timeout')
def server_query_timeout(lab):
  """The client's command timeout runs out: attention, answered or not, and the session is used again or closed."""
  def one(how):
    talk = lab.talk().open()
    talk.variant = how
    talk.label = truth.label('server.query-timeout', 'server.slow-response', ('client', 'server.query-timeout'), ('none', 'server.query-timeout'),
                             ('none', 'server.slow-response'), *([('none', 'none.normal')] if talk.encryption == 'full' else []),
                             *([('client', 'client.abort'), *OPEN] if talk.encryption == 'full' and how == 'unanswered' else []))
    talk.query()
    talk.request()
    talk.server.receive()
    lab.sleep(10)
    if how == 'unanswered':  # the server acknowledges the attention and does no more
      talk.client.send(tds.ATTENTION, b'')
      wait_for_login(talk, 5)
      talk.server.close()
      return
    talk.attention()
    if how == 'used again':
      talk.query()
    talk.close()
  lab.run_all(one, ['used again', 'closed', 'unanswered', 'used again'])


@scenario('server-tls-refused')
def server_tls_refused(lab):
  """The server does not like the ClientHello: it closes, resets, or sends an alert first."""
  def one(how):
    talk = lab.talk(encryption='full' if how != 'strict' else 'strict')
    talk.variant = how
    talk.label = truth.label('server.tls-refused', 'server.closed-in-login', ('client', 'server.tls-refused'), 'server.reset')
    talk.connect()
    if how == 'strict':
      talk.begin_tls()
      talk.client.send_raw(talk.client.handshake_step())
      talk.server.receive_raw()
    else:
      talk.prelogin()
      talk.begin_tls()
      send_phase(talk, 'tls')
      talk.server.receive()
    lab.sleep(0.02)
    alert = b'\x15\x03\x03\x00\x02\x02\x46'  # fatal, protocol_version
    if how in ('alert', 'strict'):
      alert = alert if how == 'strict' else tds.packets(talk.driver.answer_type, alert)
      talk.server.send_raw(alert)
    end_it(talk.server, how)
    lab.sleep(0.2)
    talk.client.close()
    talk.server.close()
  lab.run_all(one, ['fin', 'alert', 'reset', 'strict'])


@scenario('server-dhe-defect')
def server_dhe_defect(lab):
  """TLS_DHE is agreed on; most handshakes succeed, some break off after the client's key exchange: the server closes."""
  contexts = lab.certificates.diffie_hellman()
  def one(how):
    talk = lab.talk(encryption='full')
    talk.variant = how
    talk.connect()
    talk.prelogin()
    if how == 'works':
      talk.tls(contexts=contexts)
      talk.login()
      talk.work(2)
      talk.close()
      return
    talk.label = truth.label('server.dhe-defect', 'server.tls-refused', ('client', 'client.closed-in-login'), ('client', 'server.dhe-defect'))
    talk.tls(flights=3, contexts=contexts)
    end_it(talk.server, how)
    lab.sleep(0.2)
    talk.client.close()
    talk.server.close()
  lab.run_all(one, ['works', 'fin', 'works', 'fin', 'reset'])


@scenario('server-dies-silently', quiet=True)
def server_dies_silently(lab):
  """The server machine is gone from one moment to the next; nobody can tell this from a path that is dead."""
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.label = truth.label('network.drop-both-ways', *DROP, *OPEN, ('server', 'server.no-ack'), ('server', 'server.no-answer'),
                             server=[('none', 'none.normal')])
    talk.open()
    talk.work(2)
  lab.run_all(one, talks)
  lab.server.cable('down')
  def use(talk):
    quietly(talk.request)
    wait_for_answer(talk, 8)
  lab.run_all(use, talks)


@scenario('server-stalls-for-all')
def server_stalls_for_all(lab):
  """For ten seconds the instance answers nothing (a frozen virtual machine's process); machines acknowledge. Then all goes on."""
  def one(number):
    talk = lab.talk().open()
    talk.label = truth.label('server.slow-response', ('none', 'none.normal'), ('none', 'server.slow-response'))
    talk.query()
    lab.sleep(0.2 * number)
    talk.request()
    talk.server.receive()
    lab.sleep(9 - 0.2 * number)
    talk.answer(400)
    talk.client.receive()
    talk.close()
  lab.run_all(one, range(5))


@scenario('server-refuses-in-bursts')
def server_refuses_in_bursts(lab):
  """As Windows does with a full queue: SYNs are answered with resets for a second or two; before and after it accepts."""
  def busy():
    for _ in range(2):
      lab.sleep(2.5)
      lab.server.firewall('tcp dport 1477 tcp flags & (syn | ack) == syn reject with tcp reset')
      lab.sleep(1.5)
      lab.server.lift_firewall()
  working = lab.run_beside(busy)
  while working.is_alive():
    talk = lab.talk(server_port=1477)
    try:
      talk.connect(2, accept=False)
    except Closed:
      talk.label = truth.label('server.backlog-full', 'server.not-listening')
      talk.client.close()
      lab.sleep(0.1, 0.3)
      continue
    talk.accept()
    talk.prelogin()
    if talk.encryption != 'no':
      talk.tls()
    talk.login()
    talk.query(size=200)
    talk.close()
    lab.sleep(0.1, 0.3)


@scenario('server-no-answer-to-anybody', quiet=True)
def server_no_answer_to_anybody(lab):
  """The server machine's firewall eats all new connections of one port; those that are open go on."""
  old = lab.talk().open()
  lab.server.firewall('tcp dport 1433 tcp flags & (syn | ack) == syn drop')
  def one(_):
    lab.sleep(0, 3)
    talk = lab.talk()
    talk.label = truth.label('server.no-answer', 'server.no-ack', client=OPEN + [('unknown', 'network.syn-lost')])
    quietly(talk.connect, lab.rng.choice([5, 10, 15]))
    talk.client.close()
  work = lab.run_beside(old.work, 12)
  lab.run_all(one, range(4))
  work.join(20)
  old.close()
  lab.sleep(1)


@scenario('server-slow-domain-controller')
def server_slow_domain_controller(lab):
  """A login with NTLM: the server asks its domain controller, which takes seconds; the client waits, or gives up first."""
  def controller(port):
    return lab.listener(lab.server2, port)
  services = [controller(port) for port in (445, 389)]
  def one(how):
    talk = lab.talk(encryption='login')
    talk.variant = how
    talk.label = truth.label('server.slow-domain-controller', 'server.login-late', 'server.login-stalled',
                             *([('none', 'none.normal')] if how == 'waits' else []))
    talk.connect()
    talk.prelogin()
    talk.tls()
    talk.client_login()
    talk.server_reads_login()
    talk.server.send(tds.RESPONSE, ntlm_token(2))
    talk.client.receive()
    talk.client.send(17, ntlm_token(3)[3:])
    talk.server.receive()
    seconds = lab.rng.uniform(3, 6)
    ask_controller(lab, services, seconds)
    if how == 'waits':
      talk.answer_login()
      talk.client.receive()
      talk.query()
      talk.close()
      return
    lab.sleep(1)
    talk.client.half_close()
    lab.sleep(1, 2)
    quietly(talk.answer_login)
    talk.client.close()
    talk.server.close()
  lab.run_all(one, ['waits', 'gives up', 'waits'])


def ntlm_token(kind):
  """An SSPI token that holds an NTLM message of this kind: 2 challenge, 3 authenticate."""
  message = b'NTLMSSP\0' + kind.to_bytes(4, 'little') + bytes(60)
  return b'\xed' + len(message).to_bytes(2, 'little') + message


def ask_controller(lab, services, seconds):
  """The server machine's own connection to a domain controller, which answers after a time."""
  service = lab.rng.choice(services)
  sock = lab.server.socket(lab.family)
  sock.bind((lab.server.addresses[lab.family], lab.free_port()))
  sock.connect((service.address, service.port))
  other = service.take(sock.getsockname()[:2])
  sock.sendall(b'\0\0\0\x60\xfeSMB' + bytes(92) if service.port == 445 else b'0\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0')
  other.recv(4096)
  lab.sleep(seconds)
  other.sendall(b'\0\0\0\x60\xfeSMB' + bytes(92) if service.port == 445 else b'0\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0')
  sock.recv(4096)
  sock.close()
  other.close()


@scenario('server-boots', quiet=True)
def server_boots(lab):
  """The server machine starts again: for some seconds nothing answers, then it refuses what it does not know; later all is well."""
  talks = [lab.talk() for _ in range(5)]
  def one(talk):
    talk.label = truth.label('server.reset', 'server.closed-many', 'server.no-ack', 'server.no-answer', *truth.RESET_OPEN,
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


@scenario('server-pauses', quiet=True)
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
  wake = silence(lab, lab.server, 'server', talks)
  threads = [lab.run_beside(use, talk) for talk in talks]
  lab.sleep(6)
  wake()
  for thread in threads:
    thread.join(30)
  for talk in talks:
    talk.work(1)
    talk.close()


@scenario('server-stops-reading')
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


@scenario('server-aborts-on-overflow')
def server_aborts_on_overflow(lab):
  """A full queue that refuses late (Linux's tcp_abort_on_overflow): the handshake is made, and its last packet is answered with a reset."""
  lab.server.sysctl('net.ipv4.tcp_abort_on_overflow', 1)
  label = truth.label('server.backlog-full', 'server.login-stalled', 'server.reset', 'server.closed-in-login', 'server.no-answer',
                      'server.not-listening', 'server.no-ack', *OPEN, ('unknown', 'network.device-answers'), ('none', 'none.probe'))
  fill_queue(lab, label, 'refused', 1)


@scenario('server-rejects-by-icmp')
def server_rejects_by_icmp(lab):
  """The server machine's firewall refuses by ICMP: a SYN, or what comes on an established connection."""
  def one(what):
    talk = lab.talk(encryption='no')
    talk.variant = what
    talk.label = truth.label('server.no-answer', 'server.no-ack', alone=OPEN if what == 'old' else [])
    if what == 'old':
      talk.open()
      talk.work(1)
    lab.server.refuse(talk.flow_at_server, 'reject')
    if what == 'old':
      talk.request()
      wait_for_answer(talk)
      return
    quietly(talk.connect, 6, False)
    talk.client.close()
  lab.run_all(one, ['syn', 'old', 'syn'])


@scenario('server-process-dies-in-logins')
def server_process_dies_in_logins(lab):
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


@scenario('server-reset-lost')
def server_reset_lost(lab):
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


@scenario('server-ignores-for-a-while')
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
  lab.every_label = truth.label('none.normal', ('server', 'server.no-ack'), *OPEN, ('network', 'network.loss'), ('network', 'network.delay'))
  for talk in lab.talks:
    talk.label = lab.every_label
  threads = [lab.run_beside(one, what) for what in ('open', 'new', 'new', 'open')]
  lab.sleep(1.2)
  lab.server.firewall('tcp dport 1433 drop')
  lab.sleep(4)
  lab.server.lift_firewall()
  for thread in threads:
    thread.join(40)
