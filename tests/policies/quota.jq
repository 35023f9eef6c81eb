# What of a ResourceQuota would be exceeded if everything that is used were used twice: pods replace each other, so for a moment both are there.
def amount:
  if test("m$") then (rtrimstr("m") | tonumber) / 1000
  else capture("^(?<n>[0-9.]+)(?<unit>[A-Za-z]*)$")
    | (.n | tonumber) * ({"": 1, Ki: 1024, Mi: 1048576, Gi: 1073741824, k: 1000, M: 1000000, G: 1000000000}[.unit])
  end;
.status as {$used, $hard}
| ["requests.cpu", "limits.cpu", "requests.memory", "limits.memory", "pods", "limits.ephemeral-storage"][]
| select(($used[.] | amount) == 0 or ($used[.] | amount) * 2 > ($hard[.] | amount))
| "\(.): \($used[.]) of \($hard[.])"
