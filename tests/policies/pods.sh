# shellcheck shell=bash
# A good pod of a store with one thing changed: refused by Pod Security, for each line of bad-pods.tsv. The good pod itself is taken.
namespace=$(id 1 a)
kubectl -n "$namespace" get deployment web -o json | jq '{apiVersion: "v1", kind: "Pod", metadata: {name: "good"},
  spec: (.spec.template.spec | del(.initContainers))}' >"$WORK/good.json"
silent kubectl -n "$namespace" create --dry-run=server -f "$WORK/good.json" >/dev/null

: >"$WORK/bad.json"
bad=0
while IFS=$'\t' read -r name change; do
  [[ $name != \#* ]] || continue
  jq --arg name "bad-$name" "$change | .metadata.name = \$name" "$WORK/good.json" >>"$WORK/bad.json" || die "$name: no jq: $change"
  bad=$((bad + 1))
done <"$HERE/bad-pods.tsv"
taken=$(kubectl -n "$namespace" create --dry-run=server -f "$WORK/bad.json" 2>"$WORK/stderr") || true
[[ -z $taken ]] || die "Pod Security lets through: $taken"
# Of some fields the apiserver also says that they are old.
grep -v '^Warning: ' "$WORK/stderr" >"$WORK/refusals" || true
grep -v 'violates PodSecurity "restricted:' "$WORK/refusals" >"$WORK/others" || true
[[ ! -s $WORK/others ]] || die "refused for another reason: $(cat "$WORK/others")"
[[ $(wc -l <"$WORK/refusals") == "$bad" ]] || die "$(wc -l <"$WORK/refusals") refusals of $bad bad pods"
say "$bad bad pods are refused by Pod Security"
