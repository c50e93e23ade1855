import { COMMANDS, type Command, type CommandFlag, FLAGS } from "./flag-table.ts";

const ENVIRONMENT = `Environment:
  SPDKCSI_CONFIG  the targets, JSON or YAML (default: /etc/spdkcsi-config/config.json)
  SPDKCSI_SECRET  their passwords (default: /etc/spdkcsi-secret/secret.json, which may be missing)
`;

/** What each command's help has beside its options. */
const DETAILS: Readonly<Record<Command, string>> = {
  controller: `The configuration is read again whenever it changes.

Example:
  spdk-csi controller --endpoint unix:///csi/csi.sock --http :9808

${ENVIRONMENT}`,
  node: `The node needs no configuration: what it has to know comes with each volume.

Example:
  spdk-csi node --endpoint unix:///csi/csi.sock --nodeid worker-1 --topology topology.kubernetes.io/zone=a
`,
  all: `The configuration is read again whenever it changes.

Example:
  spdk-csi all --endpoint unix:///csi/csi.sock --nodeid worker-1

${ENVIRONMENT}`,
  doctor: `Each line is ok, warning, failed or skipped (could not be told), what was checked and on
what, and for all but ok what to do about it. With neither --controller nor --node it checks
what both need; a node without a configuration needs --node. Nothing is changed.

Of each target: whether it is reached, the password, SPDK's version, lvstores and their room,
configured bdevs, portals, the limit of subsystems, clocks, certificates, and exports that are
half-made or open to others. Of the node: the kernel's NVMe/TCP and multipath, sessions that are
lost, others that use its host NQN or host id, the commands of each filesystem, encryption, its
records and formats that were interrupted, and whether its mounts reach pods.

Examples:
  spdk-csi doctor --controller
  spdk-csi doctor --node --nodeid worker-1 --endpoint unix:///csi/csi.sock
  spdk-csi doctor --controller --target spdk-1 --output json

Exit status: 0 when nothing failed, 1 when something did, 2 for a wrong command line or
configuration.

${ENVIRONMENT}`,
  volumes: `For each volume of this cluster: its id, name, target and lvstore, its size, what it has
allocated (told by SPDK v24.05 and later), thin or thick, what it was made of, the number of
snapshots below it, the nodes that it is published to, and flags:
  any-host       every host may connect to it, as with exports of SPDK's driver in Go
  half-exported  its subsystem lacks hosts, its namespace or a portal
  other-hosts    hosts may connect that are no nodes of this cluster

Examples:
  spdk-csi volumes
  spdk-csi volumes --target spdk-1 --output json

Exit status: 0 when all are listed, 1 when a target could not be asked (it has a line of its
own), 2 for a wrong command line or configuration.

${ENVIRONMENT}`,
  orphans: `Names volumes of this cluster that are named as the provisioner names them (pvc-…, v-…) and have
no PersistentVolume, exports whose lvol is gone, and hidden snapshots that nothing needs, each
with the commands that show more of it and delete it. It never deletes anything by itself, and
never names what is of other clusters or has other names.

Examples:
  kubectl get pv -o json | spdk-csi orphans --pv-list -
  spdk-csi orphans --pv-list handles.txt --output json

Exit status: 0 when there are none, 1 when there are, 2 for a wrong command line, list or
configuration, 3 when a target could not be asked, so that the list is incomplete.

${ENVIRONMENT}`,
  demo: `Serves the controller on a target that runs in this process, with one volume on it, and as root
nodes that mount on loop devices. It prints what to type next, and ends with Ctrl-C or SIGTERM;
nothing is left then. It needs the package @org/spdk-emulator.

Examples:
  spdk-csi demo
  sudo spdk-csi demo --endpoint unix:///tmp/csi.sock --nodes 2
`,
};

/** What `spdk-csi --help` prints. */
export const USAGE: string = `spdk-csi is the CSI driver csi.spdk.io: it gives pods volumes from SPDK targets.

Usage: spdk-csi COMMAND [OPTION ...]

Commands that serve CSI:
${commands(["controller", "node", "all"])}
Commands for people:
${commands(["doctor", "volumes", "orphans", "demo"])}
spdk-csi COMMAND --help lists the options of a command and how it is used.

Examples:
  spdk-csi controller --endpoint unix:///csi/csi.sock
  spdk-csi node --endpoint unix:///csi/csi.sock --nodeid worker-1
  spdk-csi doctor
  kubectl get pv -o json | spdk-csi orphans --pv-list -

${ENVIRONMENT}
A configuration needs no more than this:
  nodes:
    - name: spdk-1                         # part of volume ids: it stays as it is
      rpcURL: http://192.168.10.118:9009   # where the target's JSON-RPC is reached
      targetType: nvme-tcp
      targetAddr: 192.168.10.118           # where nodes connect to
and a secret no more than this:
  rpcTokens:
    - { name: spdk-1, username: root, password: "a-long-one" }

Without a command the options are those of serving, as SPDK's driver in Go has them:
  --controller and --node say what is served (neither: both), and klog's are taken as well:
  -v=5 and above logs at the level debug, the others have no effect.

Options may have one dash or two, and their values after a space or a "=".

Exit status: 0 when all is well, 2 for a wrong command line, 1 for anything else; commands for
people have more, which their help tells.
`;

/** What `spdk-csi COMMAND --help` prints. */
export function usageOf(command: Command): string {
  const flags = FLAGS.filter((flag) => flag.commands.includes(command));
  return `spdk-csi ${command}: ${COMMANDS[command]}

Usage: spdk-csi ${command} [OPTION ...]

Options:
${options(flags)}
${DETAILS[command]}`;
}

function commands(names: readonly Command[]): string {
  return names.map((name) => `  ${name.padEnd(11)}  ${COMMANDS[name]}\n`).join("");
}

function options(flags: readonly CommandFlag[]): string {
  const rows = [...flags, { name: "help", help: "print this" }].map((flag) => ({
    left: `--${flag.name}${"value" in flag && flag.value !== undefined ? ` ${flag.value}` : ""}`,
    lines: flag.help.split("\n"),
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return rows
    .flatMap(({ left, lines }) => lines.map((line, index) => `  ${(index === 0 ? left : "").padEnd(width)}  ${line}\n`))
    .join("");
}
