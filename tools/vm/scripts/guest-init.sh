#!/bin/bash
# The first process in the virtual machine: / is the host's root, read-only under an overlay that is thrown away.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
for argument in $(< /proc/cmdline); do
  case $argument in vm.*=*) name=${argument#vm.}; declare "vm_${name%%=*}=${name#*=}" ;; esac
done
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/udev
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/mounts /etc/mtab
# shellcheck disable=SC2154 # from the kernel's command line
{
  mkdir -p /lib/modules
  mount --bind "$vm_modules" /lib/modules
}
mount -t tmpfs tmpfs /mnt
hostname "${vm_name:-vm}"
ip link set lo up
modprobe virtio_net
# No default route. Where nothing is said the machine reaches 10.0.2.2 alone, which is the host's 127.0.0.1.
card=0
for address in $(tr , ' ' <<< "${vm_addresses:-10.0.2.15/24}"); do
  ip link set "eth$card" up && ip addr add "$address" dev "eth$card"
  card=$((card + 1))
done
echo 0 > /proc/sys/kernel/printk
/lib/systemd/systemd-udevd --daemon >/dev/null 2>&1
# shellcheck disable=SC2154
bash "$vm_run/command" < /dev/null 2>&1 | cat > "$(echo /dev/vport*p1)"
status=${PIPESTATUS[0]}
echo "status=$status" > "$(echo /dev/vport*p2)"
sync
echo b > /proc/sysrq-trigger
sleep 60
