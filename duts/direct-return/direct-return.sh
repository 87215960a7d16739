#!/bin/bash
# Direct routing, as the article's customers use it: the balancer chooses a Front End by the client's address and passes each packet
# on to that machine's MAC address, unchanged. Front Ends hold the VIP on their loopback and answer the client themselves.
# Everything is the kernel's own: a mark by source (nftables), a route for each mark, and this script for the health checks.
vip=10.10.2.20
servers=(10.10.2.4 10.10.2.5 10.10.2.6)
ports='135, 443, 444, 5060, 5061, 5065, 5069, 5071, 5072, 5073, 5074, 8404'
check=5061 inter=2 fall=3 rise=2
lifetime=30m
device=$(ip -o -4 address show to "$vip" | awk '{print $2; exit}')

for setting in all/rp_filter "$device/rp_filter" all/send_redirects "$device/send_redirects"; do
    echo 0 >"/proc/sys/net/ipv4/conf/$setting"
done
echo 1 >/proc/sys/net/ipv4/ip_forward

# Marked packets go on to a Front End although the VIP is an address of this machine: their rules come before the local table.
ip rule add pref 100 lookup local && ip rule del pref 0 lookup local
for number in "${!servers[@]}"; do
    mark=$((number + 1))
    ip rule add pref $((10 + number)) fwmark $mark lookup $mark
    ip route add default via "${servers[number]}" dev "$device" table $mark
done

# A set of clients for each Front End, and a place for those that are in none: in turn among the Front Ends that are up.
marks=$(seq 1 ${#servers[@]})
nft -f - <<RULES
table ip lb {
    set services { type ipv4_addr . inet_service; }
    $(for mark in $marks; do printf 'set clients%s { type ipv4_addr; size 65535; flags dynamic, timeout; timeout %s; }\n' "$mark" $lifetime; done)
    chain place { }
    chain balance {
        $(for mark in $marks; do printf 'ip saddr @clients%s update @clients%s { ip saddr } meta mark set %s return\n' "$mark" "$mark" "$mark"; done)
        jump place
        $(for mark in $marks; do printf 'meta mark %s update @clients%s { ip saddr }\n' "$mark" "$mark"; done)
    }
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        ip daddr . tcp dport @services jump balance
    }
}
RULES

# New rules for those that are up, and clients of the others forgotten, in one step: each is placed again with its next packet.
place() {
    local up=() down='' slots='' rule='' number slot
    for number in "${!servers[@]}"; do
        if [ "${state[number]}" = up ]; then up+=($((number + 1))); else down+="flush set ip lb clients$((number + 1));"; fi
    done
    for slot in "${!up[@]}"; do slots+="$slot : ${up[slot]}, "; done
    if [ -n "$slots" ]; then rule="add rule ip lb place meta mark set numgen inc mod ${#up[@]} map { $slots }"; fi
    printf '%s\n' 'flush chain ip lb place' "$down" "$rule" | nft -f -
}

accepts() { timeout "$inter" bash -c "exec 3<>/dev/tcp/$1/$check" 2>/dev/null; }

declare -a state row
for number in "${!servers[@]}"; do state[number]=up row[number]=0; done
place
# From now on the VIP is served.
for port in ${ports//,/}; do echo "add element ip lb services { $vip . $port }"; done | nft -f -
while :; do
    sleep "$inter"
    pids=()
    for number in "${!servers[@]}"; do accepts "${servers[number]}" & pids[number]=$!; done
    changed=''
    for number in "${!servers[@]}"; do
        if wait "${pids[number]}"; then good=up; else good=down; fi
        if [ $good = "${state[number]}" ]; then row[number]=0; continue; fi
        row[number]=$((row[number] + 1))
        if { [ $good = down ] && ((row[number] >= fall)); } || { [ $good = up ] && ((row[number] >= rise)); }; then
            state[number]=$good row[number]=0 changed=yes
            logger "direct-return: ${servers[number]} is $good"
        fi
    done
    if [ -n "$changed" ]; then place; fi
done
