# shellcheck shell=bash
# The node's network: a namespace and one link to the host. Pod and service addresses exist only in there, so
# clusters cannot disturb the host or each other. All ranges follow from CLUSTER_INDEX.

NS=shopwright-$NAME LINK=shopwright$IDX
HOST_IP=172.31.$IDX.1 NODE_IP=172.31.$IDX.2
POD_CIDR=10.4$IDX.0.0/16 POD_RANGE=10.4$IDX.1.0/24 SVC_CIDR=10.9$IDX.0.0/16 DNS_IP=10.9$IDX.0.10

# The cluster that has our index now, or nothing.
link_owner() { { ip link show "$LINK" 2>/dev/null || true; } | sed -n 's/^ *alias //p'; }

up_network() {
  local owner; owner=$(link_owner)
  [ "$owner" = "$NAME" ] && ip netns pids "$NS" >/dev/null 2>&1 && return
  [ -z "$owner" ] || [ "$owner" = "$NAME" ] || die "CLUSTER_INDEX=$IDX belongs to the running cluster $owner: choose another index, or take that one down"
  down_network   # a half-done `up`
  local range taken
  for range in "$HOST_IP" "${POD_CIDR%/*}"; do
    taken=$(ip -4 route show match "$range" | grep -v '^default' | head -1) || true
    [ -z "$taken" ] || die "the range of $range is in use on this machine ($taken): choose another CLUSTER_INDEX"
  done
  ip netns add "$NS"
  ip link add "$LINK" type veth peer name eth0 netns "$NS"
  ip link set "$LINK" alias "$NAME"
  ip addr add "$HOST_IP/30" dev "$LINK"
  ip link set "$LINK" up
  ip -n "$NS" addr add "$NODE_IP/30" dev eth0
  ip -n "$NS" link set lo up
  ip -n "$NS" link set eth0 up
  ip -n "$NS" route add default via "$HOST_IP"
  ip route add "$POD_CIDR" via "$NODE_IP"   # pods reach the apiserver unmasqueraded: its answers need the way back
}

# The apiserver listens on loopback alone, out of the network's reach; what comes over the link for it is led there.
forward_api() {
  echo 1 >"/proc/sys/net/ipv4/conf/$LINK/route_localnet"
  nft -f - <<N
table ip $LINK
delete table ip $LINK
table ip $LINK {
  chain to-apiserver {
    type nat hook prerouting priority dstnat
    iifname "$LINK" ip daddr $HOST_IP tcp dport $API_PORT dnat to 127.0.0.1:$API_PORT
  }
}
N
}

# The link goes after what hangs on it: as long as it is there, it says whose the index is.
down_network() {
  if [ "$(link_owner)" = "$NAME" ]; then
    ! command -v nft >/dev/null || nft delete table ip "$LINK" 2>/dev/null || true
    ip link del "$LINK"
  fi
  if [ -e "/run/netns/$NS" ]; then ip netns del "$NS"; fi
}
