"""Steps that the scripts of several culprits share: logins up to a phase, who waits and gives up, machines that fall silent."""

import threading

import tds
import truth
from hosts import run
from talk import Closed

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


def refused_login(talk, number, server_closes=True):
  """The server answers the login with that error; both ends close then, the server first or not."""
  login_until(talk, 'login')
  talk.client_login()
  talk.server_reads_login()
  talk.server.send(tds.RESPONSE, tds.login_refusal(talk.user, number))
  if server_closes:
    talk.server.half_close()
  talk.client.receive()
  talk.close()


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


def answer_beside(talk, phase):
  """The server answers it while the script goes on."""
  threading.Thread(target=quietly, args=(answer_phase, talk, phase), daemon=True).start()


def silence(lab, host, side, talks):
  """From now on nothing leaves a machine, and nothing of these connections reaches it, nor its own capture; returns how to end it."""
  run('ip', 'netns', 'exec', host.namespace, 'nft', 'add table inet sleep; add chain inet sleep out { type filter hook output priority 0; }; '
      'add rule inet sleep out drop')
  numbers = [lab.device.rule('drop', talk.flow, 'to_' + side) for talk in talks]
  def wake():
    for number in numbers:
      lab.device.lift(number)
    run('ip', 'netns', 'exec', host.namespace, 'nft', 'delete table inet sleep')
  return wake


def late_window(lab, side, begin, end):
  """That side's capture has only what is between the two, in seconds."""
  lab.look.window[side] = (begin, end)
  lab.every_label = truth.label('none.normal', **{side: truth.OPEN})  # what is cut in its login cannot be judged
  for talk in lab.talks:
    talk.label = lab.every_label
  lab.findings.append({'cause': 'capture.windows-differ', 'accept': ['capture.windows-differ', 'unknown.cut-off'], 'modes': ['both']})
