import { ConnectorError } from "../connectors/connector-error.ts";
import type { Host } from "../host/host.ts";
import type { IscsiPortal } from "./iscsi-connection.ts";
import { type NodeSettings, readSetting, withSettings } from "./node-record.ts";

/** Where distributions have open-iscsi keep its records: Debian and Ubuntu; Red Hat, SUSE and newer Debian. */
const DATABASES = ["/etc/iscsi", "/var/lib/iscsi"] as const;
/** What the durable write of a file leaves when it is interrupted. */
const TEMPORARY = ".new";
const RECORD_END = "# END RECORD";
const NOT_WRITABLE: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM"]);

/** Which record. */
export interface RecordKey {
  readonly iqn: string;
  readonly portal: IscsiPortal;
  /** The name of the iface record that it goes with. */
  readonly iface: string;
}

/** Where iscsiadm's records are on this host, read and changed as files because secrets must not be arguments. */
export class IscsiDatabase {
  readonly #host: Host;
  readonly #roots: readonly string[];

  /** `hostRoot` is where the host's root filesystem is seen; empty for this process's own. */
  constructor(host: Host, hostRoot: string) {
    this.#host = host;
    this.#roots = DATABASES.map((database) => `${hostRoot}${database}`);
  }

  /** Replaces settings in a record that iscsiadm has made, readable by root alone. Throws ConnectorError `UNSUPPORTED` when it is nowhere. */
  async change(key: RecordKey, settings: NodeSettings): Promise<void> {
    const paths = await this.#records(key);
    if (paths.length === 0) {
      const places = this.#roots.map((root) => `${root}/nodes`).join(" nor in ");
      throw new ConnectorError(
        "UNSUPPORTED",
        `the record that iscsiadm made for ${key.iqn} is neither in ${places}: show the host's root filesystem, writable, to this process and give its path as hostRoot`,
      );
    }
    for (const path of paths) {
      const text = (await this.#host.files.readText(path)) ?? "";
      try {
        await this.#host.files.writeFileDurable(path, withSettings(text, settings));
      } catch (cause) {
        if (!NOT_WRITABLE.has((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
        const remedy = "mount the host's root filesystem writable, and run this process as root";
        throw new ConnectorError("UNSUPPORTED", `${path} cannot be written: ${remedy}`, { cause });
      }
    }
  }

  /** Whether there is a record of a target, in whatever layout. */
  async has(iqn: string): Promise<boolean> {
    for (const root of this.#roots) {
      if (((await this.#host.files.list(`${root}/nodes/${iqn}`)) ?? []).length > 0) return true;
    }
    return false;
  }

  /**
   * Removes what an interrupted change has left: a file of ours, which may hold secrets, and a record that iscsiadm has
   * begun and not written to its end. It would take both for records, and refuse every other because of them.
   */
  async sweep(iqn: string): Promise<void> {
    for (const root of this.#roots) {
      const target = `${root}/nodes/${iqn}`;
      for (const name of (await this.#host.files.list(target)) ?? []) {
        const path = `${target}/${name}`;
        const inside = await this.#host.files.list(path);
        const files = inside === undefined ? [path] : inside.map((each) => `${path}/${each}`);
        let kept = 0;
        for (const file of files) {
          if (await this.#isLeft(iqn, file)) await this.#host.files.unlink(file);
          else kept += 1;
        }
        if (inside !== undefined && kept === 0) await this.#host.files.rmdir(path);
      }
    }
  }

  async #isLeft(iqn: string, path: string): Promise<boolean> {
    if (path.endsWith(TEMPORARY)) return true;
    const text = await this.#host.files.readText(path);
    return text !== undefined && (readSetting(text, "node.name") !== iqn || !text.includes(RECORD_END));
  }

  /** Whether an iface record is complete. */
  async hasIface(name: string, initiatorName: string): Promise<boolean> {
    for (const root of this.#roots) {
      const text = await this.#host.files.readText(`${root}/ifaces/${name}`);
      if (text !== undefined && readSetting(text, "iface.initiatorname") === initiatorName) return true;
    }
    return false;
  }

  /**
   * The files of a record: `nodes/<iqn>/<address>,<port>` when iscsiadm was given no portal group tag, else
   * `nodes/<iqn>/<address>,<port>,<tag>/<iface>`.
   */
  async #records({ iqn, portal, iface }: RecordKey): Promise<string[]> {
    const name = `${portal.address},${portal.port}`;
    const tagged = portal.groupTag === undefined ? [] : [`${name},${portal.groupTag}/${iface}`];
    const places = this.#roots.flatMap((root) => [name, ...tagged].map((each) => `${root}/nodes/${iqn}/${each}`));
    const found = await Promise.all(places.map((path) => this.#host.files.lstat(path)));
    return places.filter((_, index) => found[index]?.kind === "file");
  }
}
