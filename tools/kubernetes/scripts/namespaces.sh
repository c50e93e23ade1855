#!/bin/bash
# namespaces.sh CGROUP COMMAND [ARG ...]: runs a command as the first process of namespaces of its own, and in a cgroup of
# its own, so that a kubelet in it takes the whole for a machine. When this ends, all that was started in it ends.
set -e
cgroup=$1
shift
for hierarchy in $(awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts); do
  own=$hierarchy/$cgroup
  mkdir -p "$own"
  if [ -f "$own/cpuset.cpus" ] && [ -f "$own/cgroup.clone_children" ]; then
    cat "$hierarchy/cpuset.cpus" > "$own/cpuset.cpus"
    cat "$hierarchy/cpuset.mems" > "$own/cpuset.mems"
    echo 1 > "$own/cgroup.clone_children"
  fi
  echo $$ > "$own/cgroup.procs"
done
exec unshare --mount --cgroup --net --pid --uts --ipc --propagation private --fork --kill-child --mount-proc "$@"
