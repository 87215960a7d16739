#!/bin/sh
# Packets of connections that this machine has with a client's address stay here. As long as HAProxy connects from its own
# address there are none; `source 0.0.0.0 usesrc clientip` needs the rules.
set -e
nft -f - <<'RULES'
table ip lb {
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        meta l4proto tcp socket transparent 1 meta mark set 111
    }
}
RULES
ip rule add fwmark 111 lookup 100
ip route add local 0.0.0.0/0 dev lo table 100
