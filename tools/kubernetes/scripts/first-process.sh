#!/bin/bash
# first-process.sh STATE INSIDE NODE_NAME NODE_ADDRESS SERVICE_ADDRESS COMMAND [ARG ...]: the first process of the cluster's
# namespaces. Makes them look like a machine of its own, and runs the command in it. What is written to the machine's own
# folders goes to STATE, which is seen as INSIDE.
set -e
state=$1
inside=$2
name=$3
node_address=$4
service_address=$5
shift 5

hostname "$name"
mount --make-rprivate /

# This cgroup is the root of all that there are.
umount -R /sys/fs/cgroup
if grep -qv '^0::' /proc/self/cgroup; then
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while IFS=: read -r _ controllers _; do
    [ -n "$controllers" ] || continue
    folder=/sys/fs/cgroup/${controllers#name=}
    mkdir "$folder"
    case $controllers in name=*) controllers=none,$controllers ;; esac
    mount -t cgroup -o "$controllers" cgroup "$folder"
  done < /proc/self/cgroup
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  # A cgroup that has processes cannot share its resources out.
  mkdir -p /sys/fs/cgroup/cluster
  while read -r process; do echo "$process" > /sys/fs/cgroup/cluster/cgroup.procs || true; done < /sys/fs/cgroup/cgroup.procs
  sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control
fi

mount -t tmpfs -o mode=755 tmpfs /run
mkdir "$inside"
mount --bind "$state" "$inside"
for folder in etc opt usr var; do
  mkdir -p "$inside/overlay/$folder/upper" "$inside/overlay/$folder/work"
  mount -t overlay -o "lowerdir=/$folder,upperdir=$inside/overlay/$folder/upper,workdir=$inside/overlay/$folder/work" \
    overlay "/$folder"
done
# What cannot lie on an overlay: filesystems are mounted there, on loop devices on files there, or it is one itself.
for folder in kubelet containerd spdk-emulator; do
  mkdir -p "$inside/$folder" "/var/lib/$folder"
  mount --bind "$inside/$folder" "/var/lib/$folder"
done

# Sysctls of the whole machine that kubelet sets: it gets files in their place.
for sysctl in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
  kernel/keys/root_maxbytes; do
  file=$inside/sysctl/$sysctl
  mkdir -p "$(dirname "$file")"
  cat "/proc/sys/$sysctl" > "$file"
  mount --bind "$file" "/proc/sys/$sysctl"
done

ip link set lo up
ip link add node0 type bridge
ip address add "$node_address/24" dev node0
ip address add "$service_address/32" dev node0
ip link set node0 up
ip route add default via "$node_address" dev node0

mount --make-rshared /
# Not with exec: as the first process, this also looks after those that have lost their parents.
"$@"
exit $?
