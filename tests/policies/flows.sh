# shellcheck shell=bash
# flows.tsv, judged on the policies and pods that the apiserver has of two stores of each engine and profile (RELIABILITY S45).
for store in "${STORES[@]}"; do
  read -r engine profile number <<<"$store"
  ingress=$(kubectl -n "$(id "$number" a)" get networkpolicy ingress-to-web -o jsonpath='{.spec.ingress[0].from[0].namespaceSelector.matchLabels.kubernetes\.io/metadata\.name}')
  for letter in a b; do kubectl -n "$(id "$number" "$letter")" get networkpolicies,deployments,statefulsets,jobs,cronjobs -o json; done |
    jq -s '{items: map(.items[])}' >"$WORK/objects.json"
  flow-verdicts "$HERE/flows.tsv" "$engine,$profile,$engine-$profile" "$ingress" <"$WORK/objects.json" >"$WORK/verdicts" ||
    die "$engine, $profile: $(grep -e '<-' -e 'without the policy' "$WORK/verdicts")"
  say "$engine, $profile: $(tail -n 1 "$WORK/verdicts")"
done
