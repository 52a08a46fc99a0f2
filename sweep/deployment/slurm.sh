#!/usr/bin/env bash
# The study {{ name }} as a SLURM job: submit it with sbatch. It ends by itself before its time is
# up, and queues itself again until the study is done. Change the numbers that follow as you like.
#SBATCH --job-name=sweep-{{ name }}
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task={{ [8, cpus] | max }}
{% if gpus %}
#SBATCH --gpus-per-node={{ gpus }}
{% endif %}
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

minutes=230 # less than --time, by what starting and stopping nodes takes
# The first node must see both; the others need nothing but the installation.
config={{ config | quoted }}
home={{ home | quoted }}
python={{ python | quoted }} # on every node
options=(--num-cpus="${SLURM_CPUS_PER_TASK:?submit this script with sbatch}"{% if resources %} --resources={{ resources | quoted }}{% endif %})

{% for variable, value in settings.items() %}
export {{ variable }}={{ value }}
{% endfor %}
# Whoever has the token runs code as you on every node: it goes by the environment alone.
RAY_AUTH_TOKEN=$("$python" -c 'import secrets; print(secrets.token_hex(32))')
head=$(hostname)
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
nodes=$((${SLURM_JOB_NUM_NODES:?submit this script with sbatch} - 1)) # beside this one
export RAY_AUTH_TOKEN python

# What every node runs: Ray, with its files where nobody else may look.
# shellcheck disable=SC2016 # the node's shell fills it in
node='
private=$(mktemp -d /tmp/sweep-XXXXXXXX)
"$python" -m ray.scripts.scripts start --block --temp-dir="$private/ray" "$@" \
    > "$private/log" 2>&1 < /dev/null &
ray=$!
trap "trap \"\" INT TERM; kill $ray 2> /dev/null; wait $ray; rm -rf \"$private\"" EXIT
trap "exit 143" INT TERM
wait "$ray" || tail -n 20 "$private/log" >&2
'
bash -c "$node" node --head --port="$port" --include-dashboard=false "${options[@]}" &
started=($!)
until "$python" -m ray.scripts.scripts health-check --address="$head:$port" > /dev/null 2>&1; do
    kill -0 "${started[0]}" # or it has ended: so does this
    sleep 1
done
if ((nodes > 0)); then
    # What a step of a job may use, and which node it is not for, srun wants to be told.
    srun --nodes="$nodes" --ntasks="$nodes" --cpus-per-task="$SLURM_CPUS_PER_TASK" \
        --exclude="${SLURMD_NODENAME:-$head}" --kill-on-bad-exit=0 \
        bash -c "$node" node --address="$head:$port" "${options[@]}" &
    started+=($!)
fi

status=0
said=$(mktemp)
{
    "$python" -m sweep run "$config" --home "$home" --engine ray --address "$head:$port" \
        --stop-after "${minutes}m" 2>&1 >&3 | tee "$said" >&2
} 3>&1 || status=$?
kill "${started[@]}" 2> /dev/null || true
wait || true
if ((status == 1)) && grep --quiet "the time of --stop-after" "$said"; then
    scontrol requeue "$SLURM_JOB_ID"
fi
rm "$said"
exit "$status"
