"""Logins that end early for a reason that the first packets show, or that only look like a fault of one end."""

import tds
import truth
from lab import scenario
from steps import late_window, quietly, refused_login, wait_for_answer, wait_for_login
from truth import DROP, LEFT, OPEN

NOT_TDS = b'HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'


@scenario('server-port-of-another-program')
def server_port_of_another_program(lab):
  """A web server, not SQL Server, has the port: it answers PRELOGIN in its own language, and one of the two closes."""
  talks = {number: lab.talk(server_port=1471) for number in range(4)}
  def one(case):
    number, closer = case
    talk = talks[number]
    talk.variant = closer
    talk.label = truth.label('server.closed-in-login', *LEFT, ('server', 'server.not-listening'), *OPEN)
    talk.connect()
    talk.client_prelogin()
    talk.server.receive()
    talk.think()
    talk.server.send_raw(NOT_TDS)
    if closer == 'server':
      talk.server.half_close()
    elif closer == 'reset':
      lab.sleep(0.05)
      talk.server.reset()
    quietly(talk.client.receive_raw)
    lab.sleep(0.05)
    talk.client.close()
    talk.drop()
  lab.run_all(one, list(enumerate(['server', 'client', 'reset', 'client'])))


@scenario('server-turns-away')
def server_turns_away(lab):
  """The server's port accepts and closes at once, before the client could say a word; at other times it serves."""
  healthy = lab.talk().open()
  work = lab.run_beside(healthy.work, 6)
  def one(how):
    lab.sleep(0.2, 4)
    talk = lab.talk()
    talk.variant = how
    talk.label = truth.label('server.closed-in-login', 'server.backlog-full', 'server.reset', 'server.closed-many', *LEFT, *OPEN,
                             ('unknown', 'server.reset'), ('none', 'none.probe'))
    talk.connect()
    if how == 'reset':
      talk.server.reset()
    else:
      talk.server.half_close()
    talk.client.read_away(2)
    talk.client.close()
    talk.drop()
  lab.run_all(one, ['fin', 'reset', 'fin', 'reset'])
  work.join(20)
  healthy.close()


@scenario('network-rest-of-login-lost')
def network_rest_of_login_lost(lab):
  """Of a login that takes two packets the second never arrives, nor what comes after it: the server waits for the rest."""
  def one(end):
    talk = lab.talk(encryption='no')
    talk.variant = end
    talk.label = truth.label('network.drop-to-server', 'network.drop-both-ways', 'network.mtu-black-hole',
                             alone=OPEN + [('unknown', 'server.closed-in-login'), ('unknown', 'network.mtu-black-hole')])
    talk.connect()
    talk.prelogin()
    login = tds.packets(tds.LOGIN, tds.login7(talk.driver, host='APP', user='u' * 100, password='p' * 100, server='s' * 120, database='d' * 100)
                        + bytes(1500))
    talk.client.send_raw(login[:1000])
    lab.sleep(0.3)
    number = lab.device.rule('drop', talk.flow, 'to_server')
    talk.client.send_raw(login[1000:])
    if end == 'close arrives':
      lab.sleep(10)
      lab.device.lift(number)
      talk.client.reset()
      return
    if end == 'server closes':
      lab.sleep(9)
      talk.server.half_close()
      lab.sleep(3)
    wait_for_login(talk, 8)
    lab.sleep(3)
  lab.run_all(one, ['lost', 'server closes', 'close arrives'])


@scenario('client-no-common-encryption')
def client_no_common_encryption(lab):
  """One end demands encryption, the other says that it has none: the client has to close (MS-TDS 2.2.6.5)."""
  def one(who):
    talk = lab.talk(encryption='no' if who == 'server' else 'full')
    talk.variant = f'the {who} demands it'
    talk.label = truth.label('client.closed-in-login', ('client', 'client.gave-up-before-login'), *LEFT, *OPEN)
    talk.connect()
    talk.client_prelogin()
    talk.server.receive()
    word = tds.ENCRYPT_REQ if who == 'server' else tds.ENCRYPT_NOT_SUP
    talk.server.send(tds.RESPONSE, tds.prelogin((16, 0, 4135, 0), word))
    talk.client.receive()
    talk.close()
  lab.run_all(one, ['server', 'client', 'server'])


@scenario('server-refuses-by-its-state')
def server_refuses_by_its_state(lab):
  """The server refuses logins because of what it is in itself: paused, full, its database not there."""
  def one(number):
    talk = lab.talk(encryption=lab.rng.choice(['no', 'login']))
    talk.variant = str(number)
    talk.label = truth.label('server.closed-in-login', ('server', 'client.login-refused'), ('none', 'client.login-refused'))
    refused_login(talk, number)
  lab.run_all(one, [17142, 40613, 18401, 17809])


@scenario('trap-another-language')
def trap_another_language(lab):
  """A browser, or a scanner, says something on SQL Server's port that is no TDS: it is shown out, and nobody meant to log in."""
  def one(how):
    talk = lab.talk()
    talk.variant = how
    talk.label = truth.label('none.normal', ('none', 'none.probe'), ('unknown', 'server.reset'), *OPEN)
    talk.connect()
    talk.client.send_raw(b'GET / HTTP/1.1\r\nHost: sql.example.net:1433\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n')
    if how == 'read':
      quietly(talk.server.receive_raw)
    lab.sleep(0.01, 0.1)
    if how == 'fin':
      quietly(talk.server.receive_raw)
      talk.server.half_close()
    else:
      talk.server.reset()
    talk.client.read_away(2)
    talk.client.close()
    talk.drop()
  lab.run_all(one, ['fin', 'read', 'unread'])


@scenario('trap-silent-connection')
def trap_silent_connection(lab):
  """A client connects and says nothing: it holds the connection to the end, or the server shows it out after a while."""
  def one(how):
    talk = lab.talk()
    talk.variant = how
    talk.label = truth.label('none.probe', ('none', 'none.normal'), ('none', 'client.gave-up-before-login'), *OPEN, *LEFT,
                             ('unknown', 'client.gave-up-before-login'))
    talk.connect()
    lab.sleep(12)
    if how == 'server closes':
      talk.server.half_close()
      talk.client.read_away(1)
      talk.client.close()
    elif how == 'client resets':
      talk.client.reset()
    else:
      lab.sleep(2)
  lab.run_all(one, ['server closes', 'client resets', 'held'])


@scenario('network-dead-when-capture-begins')
def network_dead_when_capture_begins(lab):
  """A pooled connection is dead already when the client's capture begins; others live."""
  late_window(lab, 'client', 6, None)
  def one(seconds):
    talk = lab.talk().open()
    talk.label = truth.label('network.drop-both-ways', *DROP, *OPEN, server=[('none', 'none.normal')])
    talk.work(1)
    lab.device.rule('drop', talk.flow)
    lab.sleep(4.0)
    talk.request()
    wait_for_answer(talk, seconds)
  healthy = lab.talk().open()
  work = lab.run_beside(healthy.work, 20)
  lab.run_all(one, [12, 12, 14])
  work.join(30)
  healthy.close()
