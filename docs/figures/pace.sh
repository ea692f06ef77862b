#!/bin/sh
# Prints the table of docs/performance.md that compares the default of `window` with fixed windows and delays.
#
#   sh docs/figures/pace.sh [SYNOD [PROTOCOL...]]      some minutes
#
# Each of send, receive, sign and verify costs `cost`; the rate is a share of what the leader bears with full
# batches; one way takes 20 ms, lognormal. The latency in ms, and how many times the best of the others that is.
set -eu
synod=${1:-build/synod}
[ $# = 0 ] || shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# row PROTOCOL WORKLOAD N COST: of each rate the cell.
row() {
	protocol=$1 workload=$2 n=$3 cost=$4
	printf '| %s, %s | %s | %s us' "$protocol" "$workload" "$n" "$cost"
	case $workload in
	requests) kind='requests, clients: 20' items=400 predictor= ;;
	*) kind='dimweight, quorum: n' items=60 predictor='predictor: linear' ;;
	esac
	for share in .01 .1 .3 .6 .9; do
		# C, what an instance costs the leader, in us; the rate of items.
		set -- $(awk -v protocol="$protocol" -v workload="$workload" -v n="$n" -v c="$cost" -v share="$share" 'BEGIN {
			C = protocol == "pbft" ? 2 * c + 6 * (n - 1) * c : c + 3 * (n - 1) * c
			item = workload == "requests" ? 4 * c + C / 64 : n * (2 * c * (n - 1) / n + C / 64)
			printf "%d %.6g", C, share * 1e6 / item }')
		cat >"$dir/s.yaml" <<-END
			seed: 5
			replications: 3
			stop: {items: $items}
			liveness_bound: 60 s
			validators: $n
			protocol: $protocol
			network: {latency: {kind: lognormal, median: 20 ms, sigma: 0.25}}
			node: {send: $cost us, receive: $cost us, sign: $cost us, verify: $cost us}
			workload: {kind: $kind, arrivals: {kind: poisson, rate: $2 /s}}
			$predictor
			zip:
			  protocol.window: [auto, 1, 2, 4, 8, 16, 64, 200, 200, 200, 200, 200]
			  protocol.batch_delay: [0 s, 0 s, 0 s, 0 s, 0 s, 0 s, 0 s, $(($1 / 2)) us, $1 us, $((2 * $1)) us, $((4 * $1)) us, $((8 * $1)) us]
		END
		"$synod" run "$dir/s.yaml" -q -o "$dir/r.h5" >/dev/null
		"$synod" show "$dir/r.h5" --csv | awk -F, '
			NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			$at["verdict"] != "completed" { failed[$at["point"]] = 1 }
			{ ms[$at["point"]] += $at["latency_mean_s"] * 1000 / 3 }
			END { for (p in ms) if (p > 0 && !failed[p] && (!best || ms[p] < best)) best = ms[p]
				printf " | %.0f (%.2f)", ms[0], ms[0] / best }'
		rm "$dir/r.h5"
	done
	echo ' |'
}

echo '| | n | cost | 1 % | 10 % | 30 % | 60 % | 90 % |'
echo '|---|---|---|---|---|---|---|---|'
for protocol in ${*:-pbft raft}; do
	for workload in requests dimweight; do
		for n in 4 13 31; do
			for cost in 20 200; do
				row $protocol $workload $n $cost
			done
		done
	done
done
