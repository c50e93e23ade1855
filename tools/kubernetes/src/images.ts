import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { moduleVersion } from "./go-build.ts";
import type { NodeKind } from "./nodes.ts";
import { writeOciArchive } from "./oci-archive.ts";
import { ROOT } from "./places.ts";
import { RootFilesystem } from "./root-filesystem.ts";
import { runProgram } from "./run-program.ts";

const DRIVER = join(ROOT, "apps/spdk-csi");
const BIN = join(ROOT, "node_modules/.bin");

/** Where docker.io's images are that nobody owns: `image: NAME:TAG` in a pod. */
const LIBRARY = "docker.io/library";
const SIDECARS: Readonly<Record<string, string>> = {
  "csi-provisioner": "github.com/kubernetes-csi/external-provisioner/v6",
  "csi-attacher": "github.com/kubernetes-csi/external-attacher/v4",
  "csi-resizer": "github.com/kubernetes-csi/external-resizer/v2",
  "csi-snapshotter": "github.com/kubernetes-csi/external-snapshotter/v8",
  "snapshot-controller": "github.com/kubernetes-csi/external-snapshotter/v8",
};

/** What the pause container of each pod runs; containerd's configuration names it. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10.2";
/** What pods of tests and examples run. */
export const BUSYBOX_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.37.0-2";

/** What the driver's node calls. */
const NODE_PROGRAMS = Object.values({
  util: ["mount", "umount", "losetup", "findmnt", "blkid", "wipefs", "blockdev"],
  core: ["cmp", "od", "tee", "stat", "chroot", "mknod", "modprobe"],
  ext4: ["mkfs.ext4", "e2fsck", "resize2fs"],
  xfs: ["mkfs.xfs", "xfs_growfs", "xfs_repair"],
  btrfs: ["mkfs.btrfs", "btrfs"],
  encryption: ["cryptsetup"],
}).flat();
/** What a person in the container wants. */
const APPLETS = ["sh", "cat", "ls", "ps", "grep", "vi", "ip", "ping", "nslookup", "wget", "less", "df", "find"];

/** Adds what an image has beside busybox, or in the place of what busybox does. */
type Beside = (root: RootFilesystem) => Promise<void>;

/** Makes images, each in an archive of its own below `dir`. */
export class Images {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** All that a cluster needs at its start, but the driver's. */
  async makeShared(binaries: string): Promise<void> {
    await this.#busybox("pause", PAUSE_IMAGE, ["/bin/busybox", "sleep", "2147483647"]);
    await this.#busybox("busybox", BUSYBOX_IMAGE, ["/bin/sh"]);
    for (const [name, module] of Object.entries(SIDECARS)) {
      const image = `registry.k8s.io/sig-storage/${name}:${moduleVersion(module)}`;
      await this.#make(name, { name: image, entrypoint: [`/${name}`] }, (root) =>
        root.addFile(join(binaries, name), `/${name}`),
      );
    }
  }

  /** Kubernetes' own images for pods of tests, as far as they can be made: those of `listed` that are known here. */
  async makeTests(agnhost: string, listed: readonly string[]): Promise<string[]> {
    const known: Readonly<Record<string, Beside>> = {
      agnhost: (root) => root.addFile(agnhost, "/agnhost"),
      nginx: async () => undefined,
      // Busybox' own knows nothing of caches, and its shell takes no other.
      "glibc-dns-testing": async (root) => {
        for (const program of ["dd", "sh"]) await root.addProgram(program);
      },
    };
    const archives: string[] = [];
    for (const image of listed) {
      const [, name = "", tag] = /^registry\.k8s\.io\/e2e-test-images\/([^:]+):(.+)$/.exec(image) ?? [];
      if (known[name] === undefined) continue;
      const entrypoint = [name === "agnhost" ? "/agnhost" : "/bin/sh"];
      archives.push(await this.#busybox(`${name}-${tag}`, image, entrypoint, known[name]));
    }
    return archives;
  }

  /** The driver as it ships, or for nodes whose kernel has no NVMe/TCP, with loop devices in its place. */
  async makeDriver(node: NodeKind, tag?: string): Promise<string> {
    const dist = node === "namespaces" ? await this.#bundleLoopDriver() : await buildDriver();
    const image = { name: driverName(node, tag), entrypoint: ["/usr/bin/node", "/app/main.js"] };
    return this.#make("driver", image, async (root) => {
      await root.addProgram("node", process.execPath);
      await root.addFile(dist, "/app");
      await root.write("app/package.json", '{ "type": "module" }\n');
      await root.write("usr/bin/spdk-csi", '#!/bin/sh\nexec node /app/main.js "$@"\n', 0o755);
      await root.addProgram("busybox");
      for (const name of APPLETS) await root.link(`usr/bin/${name}`, "busybox");
      for (const name of NODE_PROGRAMS) await root.addProgram(name);
      await root.addFile("/etc/mke2fs.conf");
    });
  }

  /** As one file with all that it imports. */
  async #bundleLoopDriver(): Promise<string> {
    const dir = join(this.#dir, "loop-driver");
    const args = ["--entry.main", "dev/loop-driver.ts", "--out-dir", dir, "--silent"];
    await runProgram(join(BIN, "tsup"), args, { cwd: DRIVER });
    return dir;
  }

  #busybox(archive: string, name: string, entrypoint: readonly string[], addBeside?: Beside): Promise<string> {
    return this.#make(archive, { name, entrypoint }, async (root) => {
      await addBeside?.(root);
      await root.addFile("/bin/busybox");
      const applets = await runProgram("/bin/busybox", ["--list"]);
      for (const applet of applets.split("\n")) await root.link(`usr/bin/${applet}`, "busybox");
    });
  }

  async #make(
    archive: string,
    image: { readonly name: string; readonly entrypoint: readonly string[] },
    fill: (root: RootFilesystem) => Promise<void>,
  ): Promise<string> {
    const path = join(this.#dir, `${archive}.tar`);
    const root = `${path}.root`;
    await rm(root, { recursive: true, force: true });
    await mkdir(this.#dir, { recursive: true });
    await fill(await RootFilesystem.make(root));
    await writeOciArchive(image, root, path);
    return path;
  }
}

/** What the driver's image is called; by default with its version. */
export function driverName(node: NodeKind, tag: string = driverVersion()): string {
  return `${LIBRARY}/${node === "namespaces" ? "spdk-csi-on-loop" : "spdk-csi"}:${tag}`;
}

async function buildDriver(): Promise<string> {
  const env = { ...process.env, NX_DAEMON: "false" };
  await runProgram(join(BIN, "nx"), ["run", "@org/spdk-csi:build"], { cwd: ROOT, env });
  return join(DRIVER, "dist");
}

function driverVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(join(DRIVER, "package.json"), "utf8"));
  return manifest.version;
}
