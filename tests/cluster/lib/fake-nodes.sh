# shellcheck shell=bash
# Nodes that kwok pretends: their pods turn Ready and Jobs complete at once, nothing runs. For scale and fault tests.

KWOK_PORT=$((10247 + IDX * 10))

up_fake_nodes() {
  local stages i
  stages=$(tool_dir kwok)/stages
  for i in node/fast node/heartbeat-with-lease pod/fast; do "$BIN/kubectl" kustomize "$stages/$i"; echo ---; done >"$DIR/stages.yaml"
  start kwok "$BIN/kwok" --kubeconfig "$KUBECONFIG_FILE" --config "$DIR/stages.yaml" --server-address "127.0.0.1:$KWOK_PORT" \
    --manage-all-nodes=false --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake
  for i in $(seq "$1"); do manifest fake-node "$i"; echo ---; done >"$DIR/fake-nodes.yaml"
  k apply -f "$HERE/manifests/fake-storage.yaml" -f "$DIR/fake-nodes.yaml" >/dev/null
  await kwok "the fake nodes" k wait node -l type=kwok --for=condition=Ready --timeout=1s
}
