import { RpcError } from "./rpc/rpc-error.ts";

/** The versions of SPDK that the emulator can be, the oldest first. */
export const VERSIONS = [
  "22.05",
  "22.09",
  "23.01",
  "23.05",
  "23.09",
  "24.01",
  "24.05",
  "24.09",
  "25.01",
  "25.05",
  "25.09",
  "26.01",
  "26.05",
  "26.09",
] as const;

/** The commit of each version that was recorded. */
const COMMITS: Readonly<Record<string, string>> = {
  "22.05": "797ff94b23",
  "24.01": "0786843e99",
  "24.05": "40a5c21897",
  "25.05": "665a10525b",
  "26.09": "3230130e6a",
};

/** What differs between the versions of SPDK. */
export interface Version {
  /** As in "26.09". */
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  /** Whether it is this version or a later one. */
  from(version: string): boolean;
  /** Whether it is later than this version. */
  after(version: string): boolean;
  readonly batches: boolean;
  readonly maxRequestBytes: number;
  readonly maxRequestValues: number;
  /** Whether a notification, and a request with the id null, gets a reply that is cut short. */
  readonly repliesToNotifications: boolean;
  /** What a half-closed connection does with replies that are due. */
  readonly halfClose: "drops replies" | "sends replies";
  readonly nvmf: NvmfFacts;
  /** That a subsystem does not exist. */
  readonly missingSubsystem: (nqn: string) => RpcError;
}

/** What differs in NVMe-oF. */
export interface NvmfFacts {
  /** State changes of one subsystem wait for one another; before, the second is "subsystem busy, retry later.\n". */
  readonly queuesStateChanges: boolean;
  /** What a second delete gets while the first is under way; before that, on versions that queue, the target dies. */
  readonly deletingTwice: "another state change" | "dies" | "already being destroyed";
  readonly refusesDuplicateListener: boolean;
  readonly refusesDuplicateHost: boolean;
  /** `dhchap_key` in add_host: refused, taken and ignored, or used. */
  readonly dhchap: "refused" | "ignored" | "used";
  /** Whether listen_addresses have `transport` beside `trtype`. */
  readonly transportInAddresses: boolean;
  readonly namesMissingSubsystem: boolean;
}

/** Reads a version such as "26.09". Throws a TypeError that names the supported ones. */
export function parseVersion(text: string): Version {
  if (!VERSIONS.some((known) => known === text))
    throw new TypeError(`SPDK ${text} is not emulated: choose one of ${VERSIONS.join(", ")}`);
  const [major = 0, minor = 0] = text.split(".").map(Number);
  // The names sort as the versions do.
  const from = (first: string): boolean => text >= first;
  return {
    name: text,
    major,
    minor,
    from,
    after: (last) => text > last,
    batches: from("26.05"),
    maxRequestBytes: from("26.05") ? 262_144 : 32_768,
    maxRequestValues: from("26.05") ? 8_192 : 1_024,
    repliesToNotifications: !from("26.05"),
    halfClose: from("26.05") ? "drops replies" : "sends replies",
    nvmf: {
      queuesStateChanges: from("24.05"),
      deletingTwice: from("26.05") ? "already being destroyed" : from("24.05") ? "dies" : "another state change",
      refusesDuplicateListener: from("24.05"),
      refusesDuplicateHost: from("24.05"),
      dhchap: from("24.05") ? "used" : from("23.05") ? "ignored" : "refused",
      transportInAddresses: !from("24.05"),
      namesMissingSubsystem: from("26.09"),
    },
    missingSubsystem: (nqn) =>
      new RpcError(-32602, from("26.09") ? `Subsystem with NQN '${nqn}' not found` : "Invalid parameters"),
  };
}

/** What spdk_get_version answers. */
export function describeVersion({ name, major, minor }: Version): object {
  const commit = COMMITS[name];
  // The recorded 26.09 was on its way to its release.
  const suffix = name === "26.09" ? "-pre" : "";
  const build = commit === undefined ? "" : ` git sha1 ${commit}`;
  return {
    version: `SPDK v${name}${suffix}${build}`,
    fields: { major, minor, patch: 0, suffix, ...(commit !== undefined && { commit }) },
  };
}
