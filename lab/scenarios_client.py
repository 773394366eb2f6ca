"""The client is at fault, or its machine."""

import socket
import ssl
import struct
import threading
import time

import tds
import truth
from hosts import inside
from lab import scenario
from steps import answer_beside, login_until, quietly, refused_login, send_phase, silence, wait_for_answer, wait_for_login
from talk import Closed
from truth import DROP, LEFT, OPEN, SYN_OPEN

DNS_PORT = 53


@scenario('client-abort')
def client_abort(lab):
  """The program ends its connection with a reset in the middle of its work: with a request open, or in a response."""
  def one(what):
    lab.sleep(0, 2)
    talk = lab.talk().open()
    talk.variant, talk.label = what, truth.label('client.abort')
    talk.work(2)
    talk.request()
    talk.server.receive()
    if what == 'in response':
      writer = threading.Thread(target=talk.answer_quietly, args=(400_000,), daemon=True)
      writer.start()
      quietly(talk.client.receive_raw)
    else:
      lab.sleep(0.3, 1)
    talk.client.reset()
    lab.sleep(1)
    talk.server.close()
  lab.run_all(one, ['request open', 'in response', 'request open', 'in response'])


@scenario('client-gave-up')
def client_gave_up(lab):
  """The client's time was spent before it began to connect: it closes after the handshake, or after PRELOGIN."""
  def one(what):
    lab.sleep(0, 2)
    talk = lab.talk()
    talk.variant, talk.label = what, truth.label('client.gave-up-before-login')
    talk.connect()
    if what == 'after prelogin':
      talk.prelogin()
    elif what == 'prelogin sent':
      talk.client_prelogin()
    else:
      talk.label = truth.label('client.gave-up-before-login', 'none.probe', 'none.normal')
    talk.client.half_close()
    talk.server.read_away(1)
    talk.server.close()
    talk.client.read_away(1)
    talk.client.close()
  lab.run_all(one, ['after prelogin', 'prelogin sent', 'handshake only', 'after prelogin'])


@scenario('client-closed-in-login')
def client_closed_in_login(lab):
  """The client closes part-way through the login though nothing failed and nothing was late: by FIN or reset."""
  def one(how):
    after, end = how
    talk = lab.talk(encryption='full')
    talk.variant, talk.label = f'{after}, {end}', truth.label('client.closed-in-login', ('client', 'client.abort'),
                                                              ('client', 'client.certificate-rejected'), ('client', 'client.gave-up-before-login'))
    talk.connect()
    talk.prelogin()
    talk.tls(flights=2 if after == 'server hello' else 4)
    if after == 'login':
      talk.client_login()
      talk.server_reads_login()
    if after == 'login' and end == 'fin':  # before the answer, though it would not have been late
      talk.label = truth.label('client.closed-in-login', ('client', 'client.abort'), ('unknown', 'client.closed-in-login'))
    lab.sleep(0.05)
    if end == 'reset':
      talk.client.reset()
    else:
      talk.close()
    lab.sleep(0.5)
    talk.server.close()
  lab.run_all(one, [('server hello', 'reset'), ('tls', 'fin'), ('tls', 'reset'), ('login', 'fin')])


@scenario('client-slow-reader')
def client_slow_reader(lab):
  """The program does not read its result: the window shuts for 8 s and more, then it reads on, or aborts."""
  def one(end):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full']))
    talk.variant, talk.label = end, truth.label('client.slow-reader')
    talk.client.receive_room(16384)
    talk.open()
    talk.request()
    talk.server.receive()
    threading.Thread(target=quietly, args=(talk.server.send, tds.RESPONSE, tds.result(300_000)), daemon=True).start()
    lab.sleep(7.5 if end == 'reads on' else 10)  # the sender waits 8 s and its script no longer
    if end == 'reads on':
      quietly(talk.client.receive, 10)
      talk.close()
    else:
      talk.client.reset()
      lab.sleep(0.5)
      talk.server.close()
  lab.run_all(one, ['reads on', 'aborts'])


@scenario('client-no-ack')
def client_no_ack(lab):
  """Something on the client machine eats what arrives, behind the point where captures are taken (filter driver)."""
  def one(phase):
    lab.sleep(0, 2)
    talk = lab.talk(encryption=lab.rng.choice(['no', 'full']))
    talk.variant, talk.label = phase, truth.label('client.no-ack', server=OPEN)
    login_until(talk, phase)
    lab.client.refuse(talk.flow[::-1])
    talk.server.keep_alive(6)
    send_phase(talk, phase)
    answer_beside(talk, phase)
    if phase in ('prelogin', 'login'):
      wait_for_login(talk, lab.rng.choice([5, 15]))
    else:
      wait_for_answer(talk)
    lab.sleep(4)
  lab.run_all(one, ['prelogin', 'login', 'request'])


@scenario('client-certificate-rejected')
def client_certificate_rejected(lab):
  """The client does not trust the server's certificate: it closes, with a TLS alert or without one."""
  def one(how):
    talk = lab.talk(encryption='full')
    talk.variant, talk.label = how, truth.label('client.certificate-rejected', ('server', 'client.certificate-rejected'))
    talk.connect()
    talk.prelogin()
    talk.begin_tls(verify=True)
    talk.tls_flight(talk.client, talk.server)
    talk.tls_flight(talk.server, talk.client)
    try:
      talk.client.handshake_step()
    except ssl.SSLError:
      pass
    if how == 'alert':
      talk.client.send(tds.PRELOGIN, talk.client.outgoing.read())
    elif how == 'reset':
      talk.client.reset()
      lab.sleep(0.3)
      talk.server.close()
      return
    talk.close()
  lab.run_all(one, ['alert', 'silent', 'alert', 'reset'])


@scenario('client-login-refused')
def client_login_refused(lab):
  """The server refuses the login with an error: wrong password, unknown database, both of the ends close then."""
  def one(how):
    number, closer = how
    talk = lab.talk(encryption=lab.rng.choice(['no', 'login']))
    talk.variant = f'{number}, {closer} closes first'
    talk.label = truth.label('client.login-refused', ('none', 'client.login-refused'), ('server', 'client.login-refused'))
    refused_login(talk, number, server_closes=closer == 'server')
  lab.run_all(one, [(18456, 'server'), (18456, 'client'), (4060, 'client'), (18470, 'server')])


@scenario('client-login-refused-hidden')
def client_login_refused_hidden(lab):
  """The same inside TLS: nobody can read the error. The server closes after its answer."""
  def one(closer):
    talk = lab.talk(encryption=lab.rng.choice(['full', 'strict']))
    talk.variant = closer
    talk.label = truth.label('client.login-refused', ('none', 'client.login-refused'), ('server', 'server.closed-in-login'),
                             ('client', 'client.closed-in-login'), *OPEN)
    talk.connect()
    if talk.encryption == 'strict':
      talk.tls()
      talk.prelogin_inside()
    else:
      talk.prelogin()
      talk.tls()
    talk.client_login()
    talk.server_reads_login()
    talk.server.send(tds.RESPONSE, tds.login_refusal(talk.user))
    if closer == 'server':
      talk.server.half_close()
    talk.client.receive()
    talk.close()
  lab.run_all(one, ['server', 'client'])


def dns_question(number, name):
  labels = b''.join(bytes([len(part)]) + part.encode() for part in name.split('.'))
  return struct.pack('!HHHHHH', number, 0x0100, 1, 0, 0, 0) + labels + b'\0' + struct.pack('!HH', 1, 1)


def dns_answer(question, address, code=0):
  head = struct.pack('!HHHHHH', struct.unpack_from('!H', question)[0], 0x8180 | code, 1, 0 if code else 1, 0, 0)
  record = b'' if code else b'\xc0\x0c' + struct.pack('!HHIH', 1, 1, 60, 4) + socket.inet_aton(address)
  return head + question[12:] + record


@scenario('client-slow-dns', family=socket.AF_INET)
def client_slow_dns(lab):
  """The name server takes seconds; the client logs in after it, or gives up at once since its time is over."""
  with inside(lab.server2.namespace):
    service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
  service.bind((lab.server2.addresses[socket.AF_INET], DNS_PORT))
  def serve(slow_s):
    question, peer = service.recvfrom(512)
    time.sleep(slow_s)
    service.sendto(dns_answer(question, lab.server.addresses[socket.AF_INET]), peer)
  for number, (slow_s, gives_up) in enumerate([(0.01, False), (lab.rng.uniform(4, 7), False), (lab.rng.uniform(6, 8), True)]):
    lab.run_beside(serve, slow_s)
    resolver = lab.client.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.sendto(dns_question(4000 + number, f'sql{number}.example.net'), service.getsockname())
    resolver.settimeout(20)
    resolver.recv(512)
    talk = lab.talk()
    if number:
      talk.label = truth.label('client.slow-name-resolution', ('network', 'client.slow-name-resolution'), ('none', 'none.normal'),
                               ('client', 'client.gave-up-before-login'), ('none', 'none.probe'))
    talk.variant = f'{slow_s:.1f} s, gives up {gives_up}'
    talk.connect()
    if gives_up:
      talk.close()
      continue
    talk.prelogin()
    if talk.encryption != 'no':
      talk.tls()
    talk.login()
    talk.query()
    talk.close()
  lab.findings.append({'cause': 'client.slow-name-resolution', 'modes': ['client', 'both'],
                       'accept': ['client.slow-name-resolution', 'client.gave-up-before-login']})


@scenario('client-no-pooling')
def client_no_pooling(lab):
  """A program that opens a connection for each query."""
  def worker(_):
    for _ in range(25):
      talk = lab.talk(encryption='login')
      talk.label = truth.label('client.no-pooling', ('client', 'none.normal'), ('none', 'none.normal'))
      talk.open()
      talk.query(size=200)
      talk.close()
  lab.findings.append({'cause': 'client.no-pooling', 'accept': ['client.no-pooling']})
  lab.run_all(worker, range(3))


@scenario('client-command-timeout-zero-answer')
def client_impatient(lab):
  """A program with a timeout of one second that closes by FIN in the middle of an answer that was on its way."""
  def one(_):
    talk = lab.talk(encryption='no').open()
    talk.label = truth.label('client.abort', ('client', 'client.closed-in-login'), ('none', 'none.normal'), *OPEN,
                             ('server', 'server.slow-response'))
    talk.request()
    talk.server.receive()
    lab.sleep(1)
    talk.client.half_close()
    talk.server.read_away(0.3)
    quietly(talk.answer, 5000)
    talk.client.close()
    lab.sleep(0.4)
    talk.server.close()
  lab.run_all(one, range(2))


@scenario('client-dies-silently', quiet=True)
def client_dies_silently(lab):
  """The client machine is gone from one moment to the next, with an answer on its way; nobody can tell this from a dead path."""
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.label = truth.label('network.drop-both-ways', *DROP, *OPEN, ('client', 'client.no-ack'), client=[('none', 'none.normal')])
    talk.open()
    talk.work(2)
    talk.request()
    talk.server.receive()
  lab.run_all(one, talks)
  lab.client.cable('down')
  for talk in talks:
    talk.server.keep_alive(5)
    quietly(talk.answer, 3000)
  lab.sleep(17)


@scenario('client-resets-pool')
def client_resets_pool(lab):
  """A process with idle and working sessions is killed: the system resets those with unread answers, and closes the others."""
  talks = [lab.talk() for _ in range(6)]
  lab.run_all(lambda talk: talk.open().work(3), talks)
  for number, talk in enumerate(talks):
    if number % 2:
      talk.request()
      talk.server.receive()
      talk.answer(3000)
      talk.variant = 'unread answer'
      talk.label = truth.label('client.abort', ('none', 'client.abort'))
  lab.sleep(0.5)
  for talk in talks:
    talk.client.sock.close()
  lab.sleep(0.5)
  for talk in talks:
    talk.server.close()


@scenario('client-sleeps', quiet=True)
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
  wake = silence(lab, lab.client, 'client', talks)
  lab.sleep(19)
  wake()
  def use(talk):
    quietly(talk.request)
    wait_for_login(talk, 4)
  lab.run_all(use, talks)
  late = lab.talk().open()
  late.work(2)
  work.join(20)


@scenario('client-stalls-in-login')
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


@scenario('client-deaf-to-answer')
def client_deaf_to_answer(lab):
  """The client machine's filter eats the answer to its own SYN, behind the capture."""
  def one(_):
    talk = lab.talk()
    talk.label = truth.label('client.no-ack', server=OPEN + [('unknown', 'network.syn-lost'), ('network', 'network.syn-lost')])
    lab.client.refuse(talk.flow[::-1])
    quietly(talk.connect, 8, False)
    talk.client.close()
    lab.sleep(1)
  lab.run_all(one, range(2))


@scenario('client-half-open-port')
def client_half_open_port(lab):
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


@scenario('client-security-resets')
def client_security_resets(lab):
  """The client machine's own firewall refuses what comes for a connection, with a reset to the server; the program does not hear of it."""
  def one(phase):
    talk = lab.talk(encryption='no')
    talk.variant = phase
    talk.label = truth.label('client.abort', 'client.no-ack', 'client.closed-in-login', 'client.gave-up-before-login', *OPEN,
                             server=[('none', 'none.probe'), ('none', 'none.normal')] if phase == 'syn' else [])
    if phase == 'syn':
      lab.client.refuse(talk.flow[::-1], 'reject with tcp reset')
      quietly(talk.connect, 6, False)
      talk.client.close()
      return
    login_until(talk, phase)
    lab.client.refuse(talk.flow[::-1], 'reject with tcp reset')
    send_phase(talk, phase)
    answer_beside(talk, phase)
    if phase == 'login':
      wait_for_login(talk, 8)
    else:
      wait_for_answer(talk)
  lab.run_all(one, ['syn', 'login', 'request'])


@scenario('client-changes-network', quiet=True)
def client_changes_network(lab):
  """A laptop's VPN is up again with another address: nobody has the old one any more."""
  talks = [lab.talk() for _ in range(4)]
  lost = lab.rng.random() < 0.5
  def one(talk):
    talk.variant = 'lost on the way' if lost else 'arrives'
    more = DROP if lost else []
    talk.label = truth.label('client.no-ack', *OPEN, *more, ('unknown', 'client.no-ack'), ('client', 'client.abort'),
                             client=[('none', 'none.normal')], server=[('none', 'none.normal')])
    talk.open()
    talk.work(2)
    talk.server.keep_alive(5)
  lab.run_all(one, talks)
  talks[0].request()
  talks[0].server.receive()
  old = lab.client.addresses[lab.family]
  new = old[:-1] + ('7' if old[-1] != '7' else '8')
  lab.client.add_address(new)
  lab.device.move(new, old)
  lab.client.drop_address(old)
  if lost:
    for talk in talks:
      lab.device.rule('drop', talk.flow, 'to_client')
  talks[0].answer_quietly(3000)
  quietly(talks[1].request)
  def again(_):
    talk = lab.talk(address=new).open()
    talk.work(4)
    talk.close()
  lab.run_all(again, range(2))
  lab.sleep(16)


@scenario('client-blocks-in-handshake')
def client_blocks_in_handshake(lab):
  """The client stands still for seconds before it goes on with TLS (a revocation list that it cannot fetch): it succeeds late, or gives up."""
  def one(how):
    where, end = how
    talk = lab.talk(encryption='full')
    talk.variant = str(how)
    login_until(talk, 'prelogin')
    talk.prelogin()
    talk.tls(flights=2 if where == 'hello' else 4)
    lab.sleep(11)
    if end == 'goes on':
      talk.label = truth.label('none.normal', ('client', 'client.closed-in-login'), ('unknown', 'client.closed-in-login'),
                               ('client', 'server.login-late'), ('none', 'server.login-late'))
      if where == 'hello':
        for sender, reader in ((talk.client, talk.server), (talk.server, talk.client)):
          talk.tls_flight(sender, reader)
        talk.client.handshake_step()
        talk.client.wrapped = talk.server.wrapped = True
      talk.login()
      talk.work(2)
      talk.close()
      return
    talk.label = truth.label('client.closed-in-login', 'client.certificate-rejected', 'client.gave-up-before-login', 'client.abort', *LEFT, *OPEN)
    if end == 'fin':
      talk.close()
      return
    talk.client.reset()
    lab.sleep(0.3)
    talk.server.close()
  lab.run_all(one, [('hello', 'goes on'), ('hello', 'fin'), ('tls', 'goes on'), ('tls', 'fin'), ('tls', 'reset')])


@scenario('client-slow-ticket', quiet=True)
def client_slow_ticket(lab):
  """The client asks a domain controller for a ticket before it sends its login, and gets it late."""
  kdc = lab.listener(lab.server2, 88)
  def one(end):
    talk = lab.talk(encryption='login')
    talk.variant = end
    talk.connect()
    talk.prelogin()
    talk.tls()
    sock = lab.client.socket(lab.family)
    sock.bind((lab.client.addresses[lab.family], lab.free_port()))
    sock.connect((kdc.address, kdc.port))
    other = kdc.take(sock.getsockname()[:2])
    sock.sendall(struct.pack('!I', 200) + b'\x6c\x81\xc5' + bytes(197))
    other.recv(4096)
    lab.sleep(9)
    other.sendall(struct.pack('!I', 200) + b'\x6d\x81\xc5' + bytes(197))
    sock.recv(4096)
    sock.close()
    other.close()
    if end == 'goes on':
      talk.label = truth.label('none.normal', ('client', 'client.closed-in-login'), ('client', 'server.login-late'), ('none', 'server.login-late'))
      talk.login()
      talk.work(2)
      talk.close()
      return
    talk.label = truth.label('client.closed-in-login', 'client.gave-up-before-login', *LEFT, *OPEN)
    talk.close()
  lab.run_all(one, ['goes on', 'fin', 'fin'])


@scenario('client-dead-second-address', quiet=True)
def client_dead_second_address(lab):
  """A name has two addresses, and one is of a machine that is not there: the client asks it for 3 s, and then the other."""
  spare = lab.listener(lab.server2, 1433)
  lab.server2.cable('down')
  def one(_):
    lab.sleep(0, 3)
    dead = lab.talk(listener=spare)
    dead.label = truth.label('network.syn-lost', *DROP, *SYN_OPEN)
    quietly(dead.connect, 3, False)
    dead.client.close()
    talk = lab.talk().open()
    talk.work(2)
    talk.close()
  lab.run_all(one, range(4))


@scenario('client-output-blocked')
def client_output_blocked(lab):
  """The client machine's firewall begins to eat what goes out on a connection, before its capture sees it."""
  def one(phase):
    talk = lab.talk(encryption='no')
    talk.variant = phase
    talk.label = truth.label('client.no-ack', 'client.closed-in-login', *OPEN, ('unknown', 'client.no-ack'), ('none', 'none.normal'),
                             server=[('none', 'none.normal')])
    login_until(talk, phase)
    talk.server.keep_alive(4)
    (own, port), _ = talk.flow
    if phase == 'response':
      talk.request()
      talk.server.receive()
    lab.client.firewall_out(f'tcp sport {port} drop')
    if phase == 'response':
      talk.answer_quietly(5000)
    else:
      threading.Thread(target=quietly, args=(send_phase, talk, phase), daemon=True).start()
    wait_for_login(talk, 8)
    lab.sleep(8)
  lab.run_all(one, ['login', 'request', 'response'])


@scenario('client-certificate-rejected-strict')
def client_certificate_rejected_strict(lab):
  """TDS 8: the client does not trust the certificate, and says so in an alert that nobody can read."""
  def one(how):
    talk = lab.talk(encryption='strict')
    talk.variant = how
    talk.label = truth.label('client.certificate-rejected', ('server', 'client.certificate-rejected'), 'client.closed-in-login',
                             ('unknown', 'client.closed-in-login'))
    talk.connect()
    talk.begin_tls(verify=True)
    talk.tls_flight(talk.client, talk.server)
    talk.tls_flight(talk.server, talk.client)
    try:
      talk.client.handshake_step()
    except ssl.SSLError:
      pass
    if how == 'alert':
      talk.client.send_raw(talk.client.outgoing.read())
    if how == 'reset':
      talk.client.reset()
      lab.sleep(0.3)
      talk.server.close()
      return
    talk.close()
  lab.run_all(one, ['alert', 'silent', 'reset', 'alert'])


@scenario('client-pauses', quiet=True)
def client_pauses(lab):
  """The client's virtual machine stands still for 6 s; what was sent to it meanwhile is lost, and it goes on as if nothing was."""
  talks = [lab.talk() for _ in range(4)]
  def one(talk):
    talk.label = truth.label('client.no-ack', *OPEN, ('none', 'none.normal'), ('network', 'network.loss'), ('network', 'network.delay'),
                             ('unknown', 'server.slow-response'))
    talk.open()
    talk.work(2)
    talk.request()
    talk.server.receive()
  lab.run_all(one, talks)
  wake = silence(lab, lab.client, 'client', talks)
  lab.sleep(0.3)
  for talk in talks:
    threading.Thread(target=talk.answer_quietly, args=(3000,), daemon=True).start()
  lab.sleep(6)
  wake()
  def goes_on(talk):
    talk.client.receive(20)
    talk.work(2)
    talk.close()
  lab.run_all(goes_on, talks)


@scenario('client-stale-dns', quiet=True)
def client_stale_dns(lab):
  """The name still leads to the old machine, where nothing listens any more; the server itself is well."""
  old = lab.listener(lab.server2, 1433)
  old.close()
  work = lab.talk().open()
  thread = lab.run_beside(work.work, 8)
  for _ in range(3):
    talk = lab.talk(listener=old)
    talk.label = truth.label('server.not-listening', 'server.backlog-full', ('client', 'server.not-listening'),
                             ('unknown', 'server.not-listening'), *OPEN)
    quietly(talk.connect, 3, False)
    talk.client.close()
    lab.sleep(1, 2)
  thread.join(20)
