"""The lab's machines: network namespaces, each with one cable to the device, made here and removed again."""

import contextlib
import ctypes
import os
import socket
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
GATEWAY4, GATEWAY6 = '169.254.1.1', 'fe80::1'
CABLE = 'eth0'


def run(*command):
  """Runs a program; its failure is ours, with what it said."""
  done = subprocess.run(command, capture_output=True, text=True)
  if done.returncode:
    raise RuntimeError(f'{" ".join(command)}: {done.stderr.strip()}')
  return done.stdout


def enter_namespace(path):
  """Moves the calling thread, and nothing else, into a network namespace."""
  handle = os.open(path, os.O_RDONLY)
  try:
    if LIBC.setns(handle, CLONE_NEWNET):
      raise OSError(ctypes.get_errno(), f'setns {path}')
  finally:
    os.close(handle)


@contextlib.contextmanager
def inside(namespace):
  """Sockets opened in this block live in the namespace, wherever they are used later."""
  enter_namespace(f'/run/netns/{namespace}')
  try:
    yield
  finally:
    enter_namespace(f'/proc/{os.getpid()}/ns/net')


class Host:
  """One machine: its namespace, its addresses, its cable `eth0`, and the device's end of it."""

  def __init__(self, lab_name, name, address4, address6, number):
    self.name, self.namespace = name, f'{lab_name}-{name}'
    self.addresses = {socket.AF_INET: address4, socket.AF_INET6: address6}
    self.mac = f'02:1a:{number:02x}:00:00:01'
    self.device_mac = f'02:1a:{number:02x}:00:00:fe'
    self.device_link = f'to-{name}'

  def open(self, device_namespace):
    run('ip', 'netns', 'add', self.namespace)
    self.sysctl('net.ipv6.conf.all.addr_gen_mode', 1)
    run('ip', 'link', 'add', CABLE, 'netns', self.namespace, 'address', self.mac, 'type', 'veth', 'peer',
        self.device_link, 'netns', device_namespace, 'address', self.device_mac)
    run('ip', '-n', device_namespace, 'link', 'set', self.device_link, 'up')
    for link in ('lo', CABLE):
      run('ip', '-n', self.namespace, 'link', 'set', link, 'up')
    for family in (socket.AF_INET, socket.AF_INET6):
      self.add_address(self.addresses[family])
    self.routes()

  def routes(self):
    """The way out; a cable that was pulled takes it along."""
    for gateway, word in ((GATEWAY4, '-4'), (GATEWAY6, '-6')):
      run('ip', '-n', self.namespace, word, 'neigh', 'replace', gateway, 'lladdr', self.device_mac, 'dev', CABLE, 'nud', 'permanent')
      run('ip', '-n', self.namespace, word, 'route', 'replace', 'default', 'via', gateway, 'dev', CABLE, 'onlink')

  def add_address(self, address):
    six = ':' in address
    run('ip', '-n', self.namespace, 'addr', 'add', f'{address}/{128 if six else 32}', 'dev', CABLE, *(['nodad'] if six else []))

  def drop_address(self, address):
    run('ip', '-n', self.namespace, 'addr', 'del', f'{address}/{128 if ":" in address else 32}', 'dev', CABLE)

  def sysctl(self, name, value):
    with inside(self.namespace), open('/proc/sys/' + name.replace('.', '/'), 'w', encoding='ascii') as file:
      file.write(str(value))

  def offload(self, on):
    """Whether the kernel leaves checksums and segmentation to the card, as most machines do."""
    word = 'on' if on else 'off'
    run('ip', 'netns', 'exec', self.namespace, 'ethtool', '-K', CABLE, 'tx', word, 'tso', word, 'gso', word)

  def firewall(self, rule):
    """Adds an nftables rule to what comes in: behind the point where a capture sees it, before TCP does."""
    exec_nft = ('ip', 'netns', 'exec', self.namespace, 'nft')
    run(*exec_nft, 'add table inet lab; add chain inet lab in { type filter hook input priority 0; }; '
        f'add rule inet lab in {rule}')

  def refuse(self, flow, verdict='drop'):
    """Eats what comes of a connection; flow: the ends of what comes, its sender first."""
    (sender, port), (_, own_port) = flow
    word = 'ip6' if ':' in sender else 'ip'
    self.firewall(f'{word} saddr {sender} tcp sport {port} tcp dport {own_port} {verdict}')

  def firewall_out(self, rule):
    """Adds an nftables rule to what goes out: before a capture sees it."""
    run('ip', 'netns', 'exec', self.namespace, 'nft', 'add table inet labout; add chain inet labout out '
        '{ type filter hook output priority 0; }; add rule inet labout out ' + rule)

  def lift_firewall(self):
    run('ip', 'netns', 'exec', self.namespace, 'nft', 'delete table inet lab')

  def cable(self, state):
    """Pulls the cable, or plugs it in: 'down', 'up'. What the machine sends into a pulled one is lost without a word."""
    run('ip', '-n', self.namespace, 'link', 'set', CABLE, state)

  def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    with inside(self.namespace):
      return socket.socket(family, kind)

  def close(self):
    subprocess.run(['ip', 'netns', 'del', self.namespace], capture_output=True, check=False)
