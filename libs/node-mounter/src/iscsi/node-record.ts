import type { IscsiSecrets } from "./iscsi-secrets.ts";

/** What a node record is made to say. */
export interface NodeRecordRequest {
  readonly initiatorName: string | undefined;
  readonly secrets: IscsiSecrets;
  /** Seconds until the daemon gives a login up. */
  readonly loginTimeoutSeconds: number;
  readonly recoveryTimeoutSeconds: number | undefined;
}

/** Settings of a node record, by open-iscsi's names (iscsid.conf); undefined: as it is. */
export type NodeSettings = Readonly<Record<string, string | undefined>>;

/** The settings that the library needs; everything else is as the host's iscsid.conf says. */
export function nodeSettings(request: NodeRecordRequest): NodeSettings {
  const { initiatorName, secrets, loginTimeoutSeconds, recoveryTimeoutSeconds } = request;
  const { username, password, usernameIn, passwordIn } = secrets;
  return {
    "iface.initiatorname": initiatorName,
    // A host that boots must not log in by itself to volumes that meanwhile may be another node's.
    "node.startup": "manual",
    "node.conn[0].startup": "manual",
    // Only LUNs that were asked for appear, so that a device that is there tells of a volume that is attached.
    "node.session.scan": "manual",
    "node.session.nr_sessions": "1",
    "node.session.initial_login_retry_max": "1",
    "node.conn[0].timeo.login_timeout": String(loginTimeoutSeconds),
    "node.session.timeo.replacement_timeout":
      recoveryTimeoutSeconds === undefined ? undefined : String(recoveryTimeoutSeconds),
    "node.session.auth.authmethod": username === undefined ? undefined : "CHAP",
    "node.session.auth.username": username,
    "node.session.auth.password": password,
    "node.session.auth.username_in": usernameIn,
    "node.session.auth.password_in": passwordIn,
  };
}

/** The text of a record with some settings replaced or added. */
export function withSettings(text: string, settings: NodeSettings): string {
  const wanted = Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const names = new Set(wanted.map(([name]) => name));
  const lines = text.split("\n").filter((line) => line !== "" && !names.has(settingName(line)));
  const end = lines.findIndex((line) => line.startsWith("# END RECORD"));
  const added = wanted.map(([name, value]) => `${name} = ${value}`);
  return `${lines.toSpliced(end === -1 ? lines.length : end, 0, ...added).join("\n")}\n`;
}

/** A setting of a record; undefined when it has none. */
export function readSetting(text: string, name: string): string | undefined {
  const line = text.split("\n").find((each) => settingName(each) === name);
  return line?.slice(line.indexOf("=") + 1).trim();
}

function settingName(line: string): string {
  return line.split("=", 1)[0]?.trim() ?? "";
}
