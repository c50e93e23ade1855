#!/bin/bash
# run.sh CACHE_DIR RUN_DIR FLAVOUR COMMAND SECONDS PROCESSORS MEBIBYTES KERNEL_ARGUMENTS [QEMU_ARGUMENT ...]: boots a
# throw-away virtual machine, runs the command in it as root, prints what it prints and ends as it ends; 125 when the
# machine gave no answer.
# QEMU emulates: the machines that build this have no KVM. What it is given besides is the machine's network cards and
# disks; without, it has one card, behind which is the host's loopback.
cache=$1
runs=$2
flavour=$3
command=$4
seconds=$5
processors=$6
memory=$7
kernel_arguments=$8
shift 8
[ $# -gt 0 ] || set -- -netdev user,id=net,ipv6=off -device virtio-net-pci,netdev=net,romfile=
here=$(dirname "$(realpath "$0")")
kernel=$(ls "$cache/kernel-$flavour"/boot/vmlinuz-*)
run=$(mktemp -d "$runs/run.XXXXXX") || exit 125
virtiofsd=
qemu_pid=
reader=
cleanup() {
  # Told to end once more, it would stop in the middle of this.
  trap '' TERM INT
  [ -n "$qemu_pid" ] && kill "$qemu_pid" 2>/dev/null && wait "$qemu_pid" 2>/dev/null
  [ -n "$virtiofsd" ] && kill "$virtiofsd" 2>/dev/null && wait "$virtiofsd" 2>/dev/null
  [ -n "$reader" ] && kill "$reader" 2>/dev/null
  rm -f "$run"/* 2>/dev/null
  # Never with -r: below this is the host's root, in the mount namespace of virtiofsd.
  rmdir "$run/root" "$run" 2>/dev/null
}
trap cleanup EXIT
trap 'exit 143' TERM INT
mkdir "$run/root"
printf '%s\n' "$command" > "$run/command"
mkfifo "$run/out"
cat "$run/out" &
reader=$!

# A mount namespace of its own with a read-only bind of /, without the host's /proc, /sys and /dev.
unshare -m --propagation private bash -c '
  mount --bind / "$1/root" && mount -o remount,bind,ro "$1/root" || exit 1
  exec /usr/lib/qemu/virtiofsd --socket-path="$1/fs.sock" -o source="$1/root" -o cache=always -o sandbox=chroot \
    --thread-pool-size=0' virtiofsd "$run" > "$run/virtiofsd.log" 2>&1 &
virtiofsd=$!
for _ in $(seq 250); do [ -S "$run/fs.sock" ] && break; sleep 0.02; done

options="console=ttyS0 quiet panic=-1 reboot=t mitigations=off nokaslr tsc=reliable no_timer_check audit=0
  random.trust_cpu=on rcupdate.rcu_expedited=1 cryptomgr.notests net.ifnames=0 vm.init=$here/guest-init.sh vm.run=$run $kernel_arguments
  vm.modules=$(realpath "$cache/kernel-$flavour")/lib/modules"
timeout -k 5 "$seconds" qemu-system-x86_64 -M q35 -accel tcg,thread=multi,tb-size=256 -cpu max,la57=off,cx16=off \
  -smp "$processors" -m "$memory" -nodefaults -no-user-config -display none -no-reboot -nographic -monitor none \
  -object memory-backend-memfd,id=mem,size=${memory}M,share=on -machine memory-backend=mem \
  -chardev "socket,id=fs,path=$run/fs.sock" -device vhost-user-fs-pci,queue-size=1024,chardev=fs,tag=host \
  -serial "file:$run/console.log" -device virtio-serial-pci \
  -chardev "file,id=out,path=$run/out" -device virtserialport,chardev=out,nr=1 \
  -chardev "file,id=status,path=$run/status" -device virtserialport,chardev=status,nr=2 \
  "$@" -kernel "$kernel" -initrd "$cache/initrd-$flavour.cpio" -append "${options//$'\n'/ }" < /dev/null 2> "$run/qemu.log" &
qemu_pid=$!
wait "$qemu_pid"
qemu=$?
qemu_pid=
# Opened once more, so that the reader ends even if QEMU never did.
exec 9<> "$run/out"
exec 9>&-
wait "$reader"
status=$(sed -n 's/^status=//p' "$run/status" 2>/dev/null)
if [ -z "$status" ]; then
  echo "the virtual machine gave no answer (QEMU: $qemu)" >&2
  tail -n 30 "$run/qemu.log" "$run/console.log" >&2
  exit 125
fi
exit "$status"
