#!/usr/bin/env bash
# The study {{ name }} on machines that are reached by SSH: run it on the one that keeps the home.
# It stops the nodes when the study ends, or is interrupted; the same script goes on.
set -euo pipefail

hosts=(node1 node2) # where you can log in without a password
head=$(hostname -f) # this machine, as they reach it
port=6379           # they must reach it, as all other ports of this machine, and each other's
config={{ config | quoted }}
home={{ home | quoted }}
python={{ python | quoted }} # on every machine

{% for variable, value in settings.items() %}
export {{ variable }}={{ value }}
{% endfor %}
umask 077
private=$(mktemp -d /tmp/sweep-XXXXXXXX)
export RAY_AUTH_TOKEN_PATH=$private/token
"$python" -c 'import secrets; print(secrets.token_hex(32), end="")' > "$RAY_AUTH_TOKEN_PATH"
started=()
# shellcheck disable=SC2317 # a trap calls it
stop() {
    kill "${started[@]}" 2> /dev/null || true
    wait || true
    rm -rf "$private"
}
trap stop EXIT
trap 'exit 143' TERM

"$python" -m ray.scripts.scripts start --head --block --num-cpus=0 --include-dashboard=false \
    --port="$port" --temp-dir="$private/ray" > "$private/log" 2>&1 < /dev/null &
started+=($!)
until "$python" -m ray.scripts.scripts health-check --address="$head:$port" > /dev/null 2>&1; do
    kill -0 "${started[0]}" || { tail -n 20 "$private/log" >&2 && exit 1; }
    sleep 1
done

# What a node runs, with the token, goes through SSH's standard input, which stays open as long as
# the node is wanted: when this machine or its network is gone, the node ends by itself.
node() {
    cat << NODE
umask 077
private=\$(mktemp -d /tmp/sweep-XXXXXXXX)
{% for variable, value in settings.items() %}
export {{ variable }}={{ value }}
{% endfor %}
export RAY_AUTH_TOKEN=$(cat "$RAY_AUTH_TOKEN_PATH")
'$python' -m ray.scripts.scripts start --block --address='$head:$port' --temp-dir="\$private/ray" \\
{% if resources %}
    --resources={{ resources | quoted }} \\
{% endif %}
    > "\$private/log" 2>&1 < /dev/null &
ray=\$!
trap 'trap "" HUP INT TERM; kill \$ray 2> /dev/null; wait \$ray; rm -rf "\$private"' EXIT
trap 'exit 143' HUP INT TERM
cat > /dev/null
NODE
    exec sleep infinity
}
for host in "${hosts[@]}"; do
    mkfifo "$private/$host"
    ssh -o BatchMode=yes "$host" bash -s < "$private/$host" &
    started+=($!)
    node > "$private/$host" &
    started+=($!)
done

status=0
"$python" -m sweep run "$config" --home "$home" --engine ray --address "$head:$port" || status=$?
exit "$status"
