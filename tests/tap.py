"""Prints the Test Anything Protocol: one line a case, what went wrong below it."""
import sys


class Tap:
  def __init__(self):
    self.number = 0
    self.failures = 0

  def case(self, name, complaints=(), todo=None):
    """One case: passed when nothing is complained of. todo: why a failure is expected."""
    self.number += 1
    complaints = list(complaints)
    name = name.replace('#', '\\#')
    if complaints and todo:
      print(f'not ok {self.number} - {name} # TODO {todo}')
    elif complaints:
      self.failures += 1
      print(f'not ok {self.number} - {name}')
    else:
      print(f'ok {self.number} - {name}')
    for complaint in complaints:
      for line in str(complaint).splitlines():
        print(f'# {line}')
    sys.stdout.flush()

  def finish(self):
    """Prints the plan and gives the exit status."""
    print(f'1..{self.number}')
    return 1 if self.failures else 0


def skip_all(reason):
  print(f'1..0 # SKIP {reason}')
  sys.exit(0)
