import { connect, SpdkUriError } from "@org/spdk-rpc";

import { readBdevs } from "./bdevs.ts";
import { readCredentials } from "./credentials.ts";
import { ConfigError, type Field, openDocument, type Source } from "./document.ts";
import { readPortals } from "./portals.ts";
import { type Credentials, TARGET_TYPES, type TargetConfig, type TargetType } from "./target-config.ts";
import { type ReadFile, readTls } from "./tls-files.ts";
import { readTopology } from "./topology.ts";

/** What the list of targets may be called: Go finds upstream's in any case, and ours says what it is. */
const LISTS = ["nodes", "targets", "Nodes"] as const;

const FIELDS = [
  "name",
  "rpcURL",
  "targetType",
  "targetAddr",
  "targetPort",
  "portals",
  "tls",
  "lvstores",
  "bdevs",
  "zeroesOnUnmap",
  "cordoned",
  "topology",
  "keyDir",
  "mutualAuthentication",
] as const;

/** A volume's id is `<target>:<uuid>`, and CSI leaves it 128 bytes. */
const MAX_NAME_BYTES = 91;

/** What reading a config may do beside reading it. */
export interface ConfigEffects {
  /** Reads a file that the config names. */
  readonly readFile?: ReadFile;
  /** Told of what is no error, but hardly meant. */
  readonly warn?: (warning: string) => void;
}

/**
 * Reads config.json and secret.json, JSON or YAML 1.2 (comments are fine).
 *
 * @throws ConfigError with everything that is wrong in both
 */
export function parseConfig(config: Source, secret?: Source, effects: ConfigEffects = {}): readonly TargetConfig[] {
  const problems: string[] = [];
  const credentials = secret === undefined ? new Map<string, Credentials>() : readCredentials(secret, problems);
  const targets = readTargets(openDocument(config, problems), credentials, effects.readFile ?? noFiles);
  if (problems.length > 0) throw new ConfigError(problems);
  const names = new Set(targets.map(({ name }) => name));
  for (const name of credentials.keys()) {
    if (!names.has(name)) effects.warn?.(`${secret?.file}: no target of ${config.file} has the name "${name}"`);
  }
  return targets;
}

function noFiles(): never {
  throw new Error("no files are read here");
}

function readTargets(
  document: Field | undefined,
  credentials: ReadonlyMap<string, Credentials>,
  readFile: ReadFile,
): readonly TargetConfig[] {
  const get = document?.object(LISTS);
  if (document === undefined || get === undefined) return [];
  const [list, ...others] = LISTS.map((name) => get(name)).filter(({ isGiven }) => isGiven);
  for (const { path } of others) document.fail(`must have ${list?.path} or ${path}, not both`);
  const targets = (list ?? get("nodes")).filledList("target").flatMap((field): Read[] => {
    const target = readTarget(field, credentials, readFile);
    return target === undefined ? [] : [target];
  });
  refuseSameNames(targets);
  refuseSameUrls(targets);
  return targets.map(({ target }) => target);
}

/** A target beside its fields, for what only all of them together tell. */
interface Read {
  readonly target: TargetConfig;
  readonly get: (key: (typeof FIELDS)[number]) => Field;
  /** Without user and password. */
  readonly url: string | undefined;
}

function readTarget(field: Field, tokens: ReadonlyMap<string, Credentials>, readFile: ReadFile): Read | undefined {
  const get = field.object(FIELDS);
  if (get === undefined) return undefined;
  const name = readName(get("name"));
  const url = readUrl(get("rpcURL"));
  const credentials = tokens.get(name);
  const target: TargetConfig = {
    name,
    rpcUrl: String(get("rpcURL").value),
    targetType: readTargetType(get("targetType")),
    portals: readPortals({ targetAddr: get("targetAddr"), targetPort: get("targetPort"), portals: get("portals") }),
    ...(credentials !== undefined && { credentials }),
    ...(get("tls").isGiven && { tls: readTls(get("tls"), readFile) }),
    ...(get("lvstores").isGiven && { lvstores: readLvstores(get("lvstores")) }),
    bdevs: readBdevs(get("bdevs")),
    zeroesOnUnmap: get("zeroesOnUnmap").flag(),
    cordoned: get("cordoned").flag(),
    topology: readTopology(get("topology")),
    ...(get("keyDir").isGiven && { keyDir: readKeyDir(get("keyDir")) }),
    ...(get("mutualAuthentication").flag() && { mutualAuthentication: true }),
  };
  if (target.tls !== undefined && url?.startsWith("https:") === false)
    get("tls").fail("is for an rpcURL with https://");
  if (target.mutualAuthentication === true && target.keyDir === undefined)
    get("mutualAuthentication").fail("needs keyDir, where the keys are");
  return { target, get, url };
}

function readName(field: Field): string {
  const name = field.text("a text that is not empty, the target's name in volume ids");
  if (/\p{Cc}/u.test(name)) field.mustBe("free of control characters");
  else if (name !== name.trim()) field.mustBe("free of spaces at its ends");
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    field.mustBe(`at most ${MAX_NAME_BYTES} bytes long: with a uuid it makes a volume's id, which may have 128`);
  }
  return name;
}

/** The URL without its credentials, which must not be seen; undefined when it is none. */
function readUrl(field: Field): string | undefined {
  const url = field.text(
    "where the target's JSON-RPC is reached: unix:///path, tcp://host:port or http(s)://host:port",
  );
  try {
    // Nothing is opened: a client connects with its first call.
    return url === "" ? undefined : connect(url).uri;
  } catch (error) {
    if (!(error instanceof SpdkUriError)) throw error;
    field.fail(`cannot be used: ${error.message}`);
    return undefined;
  }
}

function readTargetType(field: Field): TargetType {
  const text = field.text(`one of ${TARGET_TYPES.join(", ")}`);
  const lower = text.toLowerCase();
  const type = TARGET_TYPES.find((known) => known === lower || known === `nvme-${lower}`);
  if (type === undefined && text !== "") field.mustBe(`one of ${TARGET_TYPES.join(", ")}, not "${text}"`);
  return type ?? TARGET_TYPES[0];
}

function readLvstores(field: Field): readonly string[] {
  const names = new Set<string>();
  for (const item of field.filledList("lvstore's name")) {
    const name = item.text();
    if (name !== "" && names.has(name)) item.mustBe(`unique, but "${name}" stands twice`);
    names.add(name);
  }
  return [...names];
}

function readKeyDir(field: Field): string {
  const path = field.text("the absolute path of a folder on the target");
  if (path !== "" && !path.startsWith("/")) field.mustBe("the absolute path of a folder on the target");
  return path;
}

function refuseSameNames(targets: readonly Read[]): void {
  const names = new Set<string>();
  for (const { target, get } of targets) {
    if (target.name !== "" && names.has(target.name)) {
      get("name").mustBe(`unique, but "${target.name}" stands twice`);
    }
    names.add(target.name);
  }
}

/** One target under two names would be counted twice. Cordoned, a former name may stay for the volumes that carry it. */
function refuseSameUrls(targets: readonly Read[]): void {
  const urls = new Map<string, Field>();
  for (const { target, get, url } of targets) {
    if (url === undefined || target.cordoned) continue;
    const first = urls.get(url);
    if (first !== undefined) get("rpcURL").fail(`leads to the same target as ${first.path}`);
    urls.set(url, first ?? get("rpcURL"));
  }
}
