"""One SQL connection with both its ends in hand: real sockets in two namespaces, moved step by step by a script."""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
import time
import uuid

import tds
from tds import HEADER_BYTES, PRELOGIN

TCP_REPAIR = 19  # linux/tcp.h
STEP_S = 8.0  # how long an end waits for the other where the script does not say


class Closed(Exception):
  """The other end is gone; `how` is 'fin', 'reset' or 'timeout'."""

  def __init__(self, how):
    super().__init__(how)
    self.how = how


class End:
  """One end: a socket that sends and receives TDS messages, inside TLS when there is some."""

  def __init__(self, sock, packet_bytes):
    self.sock, self.packet_bytes = sock, packet_bytes
    self.tls = self.incoming = self.outgoing = None
    self.wrapped = self.bare = False  # TLS around TDS, as after a full encryption; TLS outermost from the start (TDS 8)
    self.buffer = b''
    self.session, self.sent = None, 0  # MARS: the session's number, and how many packets were sent in it
    self.session_bytes, self.session_news = b'', []  # what is no whole session packet yet; which ones without data came
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

  def send_raw(self, data, timeout=STEP_S):
    self.sock.settimeout(timeout)
    try:
      self.sock.sendall(data)
    except TimeoutError as error:
      raise Closed('timeout') from error
    except OSError as error:
      raise Closed('reset') from error

  def receive_raw(self, timeout=STEP_S):
    self.sock.settimeout(timeout)
    try:
      data = self.sock.recv(65536)
    except TimeoutError as error:
      raise Closed('timeout') from error
    except OSError as error:
      raise Closed('reset') from error
    if not data:
      raise Closed('fin')
    return data

  def send(self, kind, payload, packet_bytes=None):
    self.send_plain(tds.packets(kind, payload, packet_bytes or self.packet_bytes))

  def send_plain(self, data):
    if self.session is not None:
      self.sent += 1
      data = tds.smp(tds.SMP_DATA, self.session, len(data), self.sent, 4) + data
    self.send_below(data)

  def send_session(self, flags):
    """MARS: opens, acknowledges or ends the session."""
    if flags == tds.SMP_SYN:
      self.session, self.sent = 0, 0
    self.send_below(tds.smp(flags, self.session, 0, self.sent, 4))

  def send_below(self, data):
    if self.tls and self.wrapped:
      self.tls.write(data)
      data = self.outgoing.read()
    self.send_raw(data)

  def receive(self, timeout=STEP_S):
    """The next message: (packet type, payload)."""
    until, payload = time.monotonic() + timeout, b''
    while True:
      head = self.take(HEADER_BYTES, until)
      kind, status, size = struct.unpack_from('!BBH', head)
      payload += self.take(size - HEADER_BYTES, until)
      if status & 1:
        return kind, payload

  def take(self, size, until):
    while len(self.buffer) < size:
      data = self.receive_raw(max(0.01, until - time.monotonic()))
      if self.tls and self.wrapped:
        self.incoming.write(data)
        data = b''
        with contextlib.suppress(ssl.SSLWantReadError):
          while True:
            data += self.tls.read(65536)
      self.buffer += data if self.session is None else self.out_of_session(data)
    data, self.buffer = self.buffer[:size], self.buffer[size:]
    return data

  def out_of_session(self, data):
    """MARS: what the session packets in these bytes carry."""
    self.session_bytes += data
    carried = b''
    while len(self.session_bytes) >= 16:
      _, flags, _, size = struct.unpack_from('<BBHI', self.session_bytes)
      if len(self.session_bytes) < size:
        break
      if flags == tds.SMP_DATA:
        carried += self.session_bytes[16:size]
      else:
        self.session_news.append(flags)
      self.session_bytes = self.session_bytes[size:]
    return carried

  def start_tls(self, context, server_side, name=None):
    self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=server_side, server_hostname=name)

  def handshake_step(self):
    """What the handshake wants to send now; empty when it waits or is over."""
    with contextlib.suppress(ssl.SSLWantReadError):
      self.tls.do_handshake()
    return self.outgoing.read()

  def close(self):
    self.sock.close()

  def reset(self):
    """Closes as a third-party driver or a dying process does: with a reset, whatever is still on its way."""
    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    self.sock.close()

  def vanish(self):
    """The machine forgets the connection without a word, as when it is started again (Linux's tcp_repair)."""
    self.sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    self.sock.close()

  def half_close(self):
    with contextlib.suppress(OSError):
      self.sock.shutdown(socket.SHUT_WR)

  def keep_alive(self, idle_s, interval_s=1, count=10):
    for option, value in ((socket.TCP_KEEPIDLE, idle_s), (socket.TCP_KEEPINTVL, interval_s), (socket.TCP_KEEPCNT, count)):
      self.sock.setsockopt(socket.IPPROTO_TCP, option, value)
    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

  def receive_room(self, size):
    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

  def read_away(self, seconds):
    """Reads and forgets what comes within a time; returns how the other end stopped ('fin', 'reset'), or None."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
      try:
        self.receive_raw(left)
      except Closed as closed:
        return None if closed.how == 'timeout' else closed.how
    return None


class Listener:
  """A server's port: accepts in a thread of its own, unless it is told to be too busy for it."""

  def __init__(self, host, family, port=1433, backlog=128, accepting=True, receive_room=None, address=None):
    self.host, self.family, self.port, self.address = host, family, port, address or host.addresses[family]
    self.sock = host.socket(family)
    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if receive_room:
      self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_room)
    self.sock.bind((self.address, port))
    self.sock.listen(backlog)
    self.arrived, self.news = {}, threading.Condition()
    self.may_accept = threading.Event()
    if accepting:
      self.may_accept.set()
    threading.Thread(target=self.accept_all, daemon=True).start()

  def accept_all(self):
    while True:
      self.may_accept.wait()
      try:
        sock, peer = self.sock.accept()
      except OSError:
        return
      with self.news:
        self.arrived[peer[:2]] = sock
        self.news.notify_all()

  def take(self, peer, timeout=STEP_S):
    """The accepted socket of a client (address, port); None when it did not come."""
    with self.news:
      self.news.wait_for(lambda: peer in self.arrived, timeout)
      return self.arrived.pop(peer, None)

  def close(self):
    """Stops listening at once; shutdown() wakes the thread, which would keep the port open otherwise."""
    with contextlib.suppress(OSError):
      self.sock.shutdown(socket.SHUT_RDWR)
    self.sock.close()


class Certificates:
  """A self-signed certificate made on the spot, and contexts of both ends."""

  def __init__(self, folder, common_name='SSL_Self_Signed_Fallback'):
    self.key, self.cert = folder / 'key.pem', folder / 'cert.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', f'/CN={common_name}',
                    '-keyout', str(self.key), '-out', str(self.cert)], check=True, capture_output=True)

  def diffie_hellman(self):
    """A context of each end for TLS_DHE alone: (client's, server's)."""
    parameters = self.key.with_name('dh.pem')
    subprocess.run(['openssl', 'dhparam', '-dsaparam', '-out', str(parameters), '2048'], check=True, capture_output=True)
    contexts = self.client(), self.server()
    for context in contexts:
      context.set_ciphers('DHE-RSA-AES256-GCM-SHA384')
    contexts[1].load_dh_params(str(parameters))
    return contexts

  def server(self, version=ssl.TLSVersion.TLSv1_2, strict=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self.cert, self.key)
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if strict else version
    if strict:
      context.set_alpn_protocols(['tds/8.0'])
    return context

  def client(self, verify=False, strict=False, version=ssl.TLSVersion.TLSv1_2):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if strict else version
    if strict:
      context.set_alpn_protocols(['tds/8.0'])
    return context


class Talk:
  """A connection from a client machine to a listener. Steps raise Closed when the other end is gone or silent."""

  def __init__(self, lab, listener, client=None, driver=None, encryption=None, port=0, address=None, mars=False):
    self.lab, self.listener, self.rng = lab, listener, lab.rng
    self.host = client or lab.client
    self.driver = driver or self.rng.choice(tds.DRIVERS)
    self.encryption = encryption or self.rng.choice(['no', 'login', 'login', 'full'])
    self.mars = mars
    sock = self.host.socket(listener.family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own = address or self.host.addresses[listener.family]
    sock.bind((own, port or lab.free_port()))
    self.client, self.server = End(sock, self.driver.packet_bytes), None
    self.began, self.variant = None, ''
    self.flow = ((own, sock.getsockname()[1]), (listener.address, listener.port))
    self.flow_at_server = lab.translated(self.flow)
    self.trace = uuid.UUID(int=self.rng.getrandbits(128))
    self.user, self.database = self.rng.choice(['app', 'report', 'svc_orders', 'etl']), self.rng.choice(['sales', 'master', 'stock'])

  def think(self, low=0.001, high=0.012):
    time.sleep(self.rng.uniform(low, high))

  def connect(self, timeout=15.0, accept=True):
    """The handshake, as far as the ends get; returns whether the client has it."""
    self.began = time.monotonic()
    self.client.sock.settimeout(timeout)
    try:
      self.client.sock.connect(self.flow[1])
    except TimeoutError as error:
      raise Closed('timeout') from error
    except OSError as error:
      raise Closed('reset') from error
    if accept:
      self.accept()
    return self

  def accept(self, timeout=STEP_S):
    sock = self.listener.take(self.flow_at_server[0], timeout)
    if sock is None:
      raise Closed('timeout')
    self.server = End(sock, self.driver.packet_bytes)
    return self

  # The login. Each step ends when the other end has read what was sent.

  def client_prelogin(self):
    word = {'no': tds.ENCRYPT_NOT_SUP, 'login': tds.ENCRYPT_OFF, 'full': tds.ENCRYPT_ON}[self.encryption]
    self.client.send(PRELOGIN, tds.prelogin(self.driver.version, word, self.mars, self.trace if self.driver.trace else None))

  def server_prelogin(self):
    word = {'no': tds.ENCRYPT_NOT_SUP, 'login': tds.ENCRYPT_OFF, 'full': tds.ENCRYPT_ON}[self.encryption]
    self.server.send(tds.RESPONSE, tds.prelogin((16, 0, 4135, 0), word, self.mars))

  def prelogin(self):
    self.client_prelogin()
    self.server.receive()
    self.think()
    self.server_prelogin()
    self.client.receive()

  def begin_tls(self, verify=False, contexts=None):
    strict = self.encryption == 'strict'
    for_client, for_server = contexts or (self.lab.certificates.client(verify, strict), self.lab.certificates.server(strict=strict))
    self.client.start_tls(for_client, False, 'sql.example.net')
    self.server.start_tls(for_server, True)
    self.client.bare = self.server.bare = strict

  def tls_flight(self, sender, reader):
    """One flight of the handshake, wrapped in TDS unless TLS is outermost; returns its size in bytes."""
    data = sender.handshake_step()
    if not data:
      return 0
    if sender.bare:
      sender.send_raw(data)
      reader.incoming.write(reader.receive_raw())
    else:
      kind = PRELOGIN if sender is self.client else self.driver.answer_type
      sender.send(kind, data)
      reader.incoming.write(reader.receive()[1])
    return len(data)

  def tls(self, flights=4, contexts=None):
    """The handshake, or its first flights."""
    self.begin_tls(contexts=contexts)
    ends = (self.client, self.server)
    for number in range(flights):
      sender, reader = ends if number % 2 == 0 else ends[::-1]
      self.think()
      self.tls_flight(sender, reader)
    if flights >= 4:
      self.client.handshake_step()
      self.client.wrapped = self.server.wrapped = True

  def client_login(self):
    self.client.send(tds.LOGIN, tds.login7(self.driver, host='APP' + str(self.rng.randint(1, 99)), user=self.user, password='S3cret!',
                                           server='sql.example.net', database=self.database))

  def server_reads_login(self):
    self.server.receive()
    if self.encryption == 'login':
      self.client.wrapped = self.server.wrapped = False

  def answer_login(self):
    self.server.send(tds.RESPONSE, tds.login_answer(self.database, self.driver.packet_bytes))

  def login(self):
    self.client_login()
    self.server_reads_login()
    self.think(0.002, 0.03)
    self.answer_login()
    self.client.receive()

  def rest_of_login(self):
    """What follows the handshake: PRELOGIN, TLS where there is some, login."""
    self.prelogin()
    if self.encryption != 'no':
      self.tls()
    self.login()

  def open(self, timeout=15.0):
    """All of it: handshake, PRELOGIN, TLS where there is some, login."""
    self.connect(timeout)
    if self.encryption == 'strict':
      self.tls()
      self.prelogin_inside()
    else:
      self.prelogin()
    if self.encryption in ('login', 'full'):
      self.tls()
    self.login()
    return self

  def open_session(self):
    """All of it, and a MARS session in it: what is sent from now on is in that."""
    self.open()
    self.client.send_session(tds.SMP_SYN)
    self.server.session, self.server.sent = 0, 0

  def prelogin_inside(self):
    self.client.send(PRELOGIN, tds.prelogin(self.driver.version, tds.ENCRYPT_NOT_SUP, self.mars, self.trace))
    self.server.receive()
    self.server.send(tds.RESPONSE, tds.prelogin((16, 0, 4135, 0), tds.ENCRYPT_NOT_SUP, self.mars))
    self.client.receive()

  # Work.

  def request(self, size=0):
    """The client's half of a query."""
    if self.rng.random() < 0.5:
      self.client.send(tds.BATCH, tds.batch('SELECT note FROM orders WHERE id = %d' % self.rng.randrange(1 << 20) + ' ' * (size // 2)))
    else:
      self.client.send(tds.RPC, tds.rpc(10, 'EXEC work @id = %d' % self.rng.randrange(1 << 20)))

  def answer(self, size=200):
    self.server.send(tds.RESPONSE, tds.result(size))

  def answer_quietly(self, size):
    with contextlib.suppress(Closed):
      self.answer(size)

  def query(self, size=None, server_s=None):
    self.request()
    self.server.receive()
    time.sleep(self.rng.uniform(0.001, 0.02) if server_s is None else server_s)
    size = self.rng.choice([30, 200, 900, 3000, 12000]) if size is None else size
    writer = threading.Thread(target=self.answer_quietly, args=(size,))
    writer.start()
    try:
      self.client.receive(30)
    finally:
      writer.join()

  def work(self, seconds, pause=(0.05, 0.8)):
    """Queries with pauses for a time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
      self.query()
      time.sleep(self.rng.uniform(*pause))

  def attention(self, answer=True):
    self.client.send(tds.ATTENTION, b'')
    if answer:
      self.server.receive()
      self.server.send(tds.RESPONSE, tds.done(0x20))
      self.client.receive()

  # The end.

  def close(self):
    """As drivers do: the client's FIN, then the server's."""
    self.client.half_close()
    if self.server:
      self.server.read_away(2)
      self.server.close()
    self.client.read_away(2)
    self.client.close()

  def drop(self):
    """Lets go of both ends without a word of ours, when the lab is over."""
    for end in (self.client, self.server):
      if end:
        with contextlib.suppress(OSError):
          end.sock.close()
