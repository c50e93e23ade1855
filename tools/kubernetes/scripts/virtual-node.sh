#!/bin/bash
# virtual-node.sh STATE INSIDE GATEWAY COMMAND [ARG ...]: the virtual machine's first own command. Makes it a machine that
# kubelet takes for a node, and runs the command. The host's files are its own, read-only; the cluster's folder STATE is
# seen as INSIDE. What must lie on a disk does.
set -e
state=$1
inside=$2
gateway=$3
shift 3

# loop: kubelet keeps raw block devices open with it.
modprobe -a virtio_blk ext4 overlay veth bridge loop nvme-tcp
udevadm settle
ip route add default via "$gateway"
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "$inside" /mnt/disk
mount --bind "$state" "$inside"
mount /dev/vda /mnt/disk
for folder in kubelet containerd; do
  mkdir -p "/var/lib/$folder"
  mount --bind "/mnt/disk/$folder" "/var/lib/$folder"
done
mount --make-rshared /
"$@"
