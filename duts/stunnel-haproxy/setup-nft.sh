#!/bin/sh
# What setup-iptables.sh does, the rules of Loadbalancer.org's article of 20 July 2009, in nftables.
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
    # The hop from the TLS terminator to port 81 is from this machine to itself. A chain of type route looks up the way anew.
    chain output {
        type route hook output priority mangle; policy accept;
        ip saddr 10.0.0.142 tcp sport 81 jump divert
        ip daddr 10.0.0.142 tcp dport 81 jump divert
    }
}
RULES
ip rule add fwmark 111 lookup 100
ip route add local 0.0.0.0/0 dev lo table 100
