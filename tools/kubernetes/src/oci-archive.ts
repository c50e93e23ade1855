import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** An image, but for its files. */
export interface ImageConfig {
  /** With registry and tag, as containerd knows it. */
  readonly name: string;
  readonly entrypoint: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const OCI = "application/vnd.oci.image";
/** The same files make the same image. */
const PLAIN = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=posix"];
const PLAIN_HEADERS = "--pax-option=delete=atime,delete=ctime";
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Writes an OCI archive of one layer, the folder `root`, which is removed; `ctr images import` takes it. */
export async function writeOciArchive({ name, entrypoint }: ImageConfig, root: string, archive: string): Promise<void> {
  const layout = `${archive}.layout`;
  const blobs = join(layout, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const platform = { architecture: ARCHITECTURES[process.arch] ?? process.arch, os: "linux" };

  const layerFile = join(layout, "layer");
  execFileSync("tar", [...PLAIN, PLAIN_HEADERS, "-cf", layerFile, "-C", root, "."]);
  await rm(root, { recursive: true });
  const layer = await takeBlob(blobs, layerFile, `${OCI}.layer.v1.tar`);
  const config = await writeBlob(blobs, `${OCI}.config.v1+json`, {
    ...platform,
    config: { Entrypoint: entrypoint, Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const mediaType = `${OCI}.manifest.v1+json`;
  const manifest = await writeBlob(blobs, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
  const annotations = { "io.containerd.image.name": name };
  const index = {
    schemaVersion: 2,
    mediaType: `${OCI}.index.v1+json`,
    manifests: [{ ...manifest, platform, annotations }],
  };
  await writeFile(join(layout, "index.json"), JSON.stringify(index));
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  execFileSync("tar", [...PLAIN, PLAIN_HEADERS, "-cf", archive, "-C", layout, "."]);
  await rm(layout, { recursive: true });
}

async function writeBlob(blobs: string, mediaType: string, content: object): Promise<Descriptor> {
  const file = join(blobs, "new");
  await writeFile(file, JSON.stringify(content));
  return takeBlob(blobs, file, mediaType);
}

/** Moves a file to where its digest says. */
async function takeBlob(blobs: string, file: string, mediaType: string): Promise<Descriptor> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  const digest = hash.digest("hex");
  await rename(file, join(blobs, digest));
  return { mediaType, digest: `sha256:${digest}`, size: (await stat(join(blobs, digest))).size };
}
