"""Nothing is wrong: nobody may be blamed."""

from lab import scenario


@scenario('healthy-mixed')
def healthy_mixed(lab):
  """Pools, short connections, every kind of encryption."""
  def one(encryption):
    talk = lab.talk(encryption=encryption).open()
    talk.work(4)
    talk.close()
  lab.run_all(one, ['no', 'login', 'full', 'strict'])
