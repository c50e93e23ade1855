#!/bin/bash
# make-initrd.sh KERNEL_DIR OUT: busybox and the modules for the root; it mounts the host's root and goes on there.
set -e
kernel=$1
out=$2
version=$(ls "$kernel/lib/modules")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{bin,modules,proc,sys,dev,host,rw,new}
cp "$(command -v busybox)" "$work/bin/busybox"

modprobe -d "$(realpath "$kernel")" -S "$version" --show-depends -a overlay virtio_pci virtiofs virtio_console | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
  while read -r file; do
    name=$(basename "${file%.xz}")
    case $file in *.xz) xz -dc "$file" > "$work/modules/$name" ;; *) cp "$file" "$work/modules/$name" ;; esac
    echo "$name" >> "$work/modules/order"
  done

cat > "$work/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev; $b mount -t proc proc /proc; $b mount -t sysfs sys /sys
for module in $($b cat /modules/order); do $b insmod "/modules/$module"; done
for argument in $($b cat /proc/cmdline); do case $argument in vm.init=*) init=${argument#*=} ;; esac; done
$b mount -t virtiofs -o ro host /host || echo "the host's root cannot be mounted" > /dev/console
$b mount -t tmpfs -o mode=755 tmpfs /rw; $b mkdir /rw/upper /rw/work
$b mount -t overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work overlay /new
for dir in dev proc sys; do $b mount --move "/$dir" "/new/$dir"; done
exec $b switch_root /new /bin/bash "$init"
INIT
chmod +x "$work/init"
(cd "$work" && find . | busybox cpio -o -H newc 2>/dev/null) > "$out"
