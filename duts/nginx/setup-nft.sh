#!/bin/sh
# The rules that a transparent proxy needs: what comes back for a client's address is for the proxy. One program ends TLS and
# speaks to the servers, so there is no hop inside the machine.
set -e
nft -f - <<'RULES'
table ip lb {
    # Packets of connections that this machine has with a client's address stay here, though the address is not ours.
    chain divert {
        meta mark set 111
        accept
    }
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        meta l4proto tcp socket transparent 1 jump divert
    }
}
RULES
ip rule add fwmark 111 lookup 100
ip route add local 0.0.0.0/0 dev lo table 100
