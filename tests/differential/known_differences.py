"""Differences that are known and explained: a file of lines with the capture, what was compared, the exact difference and the
reason, tabs between them. A line excuses that one difference; one that no longer occurs is an error."""


class KnownDifferences:
  def __init__(self, path):
    self.name = path.name
    self.reasons = {}
    self.met = set()
    for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else []:
      if line and not line.startswith('#'):
        capture, what, difference, reason = line.split('\t')
        self.reasons[capture, what, difference] = reason

  def case(self, tap, capture, what, complaints):
    """One case: failed by what is not known. Known differences are told, with their reasons."""
    complaints = [' '.join(complaint.split()) for complaint in complaints]
    known = [complaint for complaint in complaints if (capture, what, complaint) in self.reasons]
    self.met.update((capture, what, complaint) for complaint in known)
    tap.case(f'{capture}: {what}', [complaint for complaint in complaints if complaint not in known])
    for complaint in known:
      print(f'# known: {complaint}: {self.reasons[capture, what, complaint]}')

  def print_lines(self, capture, what, complaints):
    """The lines that would have to be listed."""
    for complaint in complaints:
      complaint = ' '.join(complaint.split())
      print(capture, what, complaint, self.reasons.get((capture, what, complaint), '?'), sep='\t')

  def leftovers(self, tap):
    tap.case(f'{self.name} names only what still differs',
             ['\t'.join(line) for line in self.reasons if line not in self.met])
