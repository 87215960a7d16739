#!/bin/bash
# Direct routing, as the article's customers use it: the balancer chooses a Front End by the client's address and passes each packet
# on to that machine's MAC address, unchanged. Front Ends hold the VIP on their loopback and answer the client themselves.
# Everything is the kernel's own: a mark by source (nftables), a route for each mark, and this script for the health checks.
vip=10.10.2.20
servers=(10.10.2.4 10.10.2.5 10.10.2.6)
ports='135, 443, 444, 5060, 5061, 5065, 5069, 5071, 5072, 5073, 5074, 8404'
check=5061 inter=2 fall=3 rise=2
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

# A client whose entry has run out is placed anew: in turn among the Front Ends that are up.
nft -f - <<RULES
table ip lb {
    set services { type ipv4_addr . inet_service; elements = { $(for port in ${ports//,/}; do printf '%s . %s, ' $vip "$port"; done) } }
    map clients { type ipv4_addr : mark; size 65535; flags dynamic, timeout; timeout 30m; }
    chain place { }
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        ip daddr . tcp dport @services jump balance
    }
    chain balance {
        meta mark set ip saddr map @clients
        meta mark 0 jump place
        meta mark != 0 update @clients { ip saddr timeout 30m : meta mark }
    }
}
RULES

# Rules for those that are up; a client of one that is down is forgotten, and placed again with its next packet.
place() {
    local up=("$@") slots='' slot
    for slot in "${!up[@]}"; do slots+="$slot : ${up[slot]}, "; done
    nft flush chain ip lb place
    if [ ${#up[@]} != 0 ]; then nft add rule ip lb place meta mark set numgen inc mod ${#up[@]} map "{ $slots }"; fi
}

forget() { # MARK
    local entries client
    entries=$(nft list map ip lb clients | tr ',{}' '\n\n\n' | awk -v mark="$(printf '0x%08x' "$1")" '$NF == mark && $(NF - 1) == ":" { print $1 }')
    for client in $entries; do nft delete element ip lb clients "{ $client }" 2>/dev/null; done
}

accepts() { timeout "$inter" bash -c "exec 3<>/dev/tcp/$1/$check" 2>/dev/null; }

declare -a state row
for number in "${!servers[@]}"; do state[number]=up row[number]=0; done
place $(seq 1 ${#servers[@]})
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
    if [ -n "$changed" ]; then
        up=()
        for number in "${!servers[@]}"; do if [ "${state[number]}" = up ]; then up+=($((number + 1))); fi; done
        place "${up[@]}"
        for number in "${!servers[@]}"; do if [ "${state[number]}" = down ]; then forget $((number + 1)); fi; done
    fi
done
