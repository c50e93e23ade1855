import { decode, type Fields } from "../rpc/decode.ts";
import type { Handlers } from "../rpc/handler.ts";
import { type Errno, errno, invalidParameters, RpcError } from "../rpc/rpc-error.ts";
import { CHAP_SHAPE, isConsistent, toSettings } from "./chap.ts";
import type { IscsiState, Secret } from "./iscsi-state.ts";

const SECRET_SHAPE = { user: "string", secret: "string", muser: "string?", msecret: "string?" } as const;
const MAX_BYTES = 255;

/** CHAP: groups of secrets, and who has to show one. */
export function authHandlers(iscsi: IscsiState): Handlers {
  const { authGroups } = iscsi;
  const get = (tag: number): Map<string, Secret> => {
    const group = authGroups.get(tag);
    if (group === undefined) throw new RpcError(-32602, `Could not find auth group (${tag})`);
    return group;
  };
  return {
    iscsi_create_auth_group: (params = {}) => {
      const { tag, secrets = [] } = decode(params, { tag: "uint32", secrets: "objects?" }, invalidParameters());
      const read = secrets.map(readSecret);
      if (authGroups.has(tag)) throw failed(`add auth group (${tag})`, "EEXIST");
      const group = new Map<string, Secret>();
      for (const secret of read) addSecret(group, secret, tag);
      authGroups.set(tag, group);
      return true;
    },
    iscsi_delete_auth_group: (params = {}) => {
      const { tag } = decode(params, { tag: "uint32" }, invalidParameters());
      get(tag);
      authGroups.delete(tag);
      return true;
    },
    iscsi_auth_group_add_secret: (params = {}) => {
      const { tag, ...secret } = decode(params, { tag: "uint32", ...SECRET_SHAPE }, invalidParameters());
      addSecret(get(tag), compact(secret), tag);
      return true;
    },
    iscsi_auth_group_remove_secret: (params = {}) => {
      const { tag, user } = decode(params, { tag: "uint32", user: "string" }, invalidParameters());
      if (!get(tag).delete(user)) throw failed(`delete secret from CHAP group (${tag})`, "ENODEV");
      return true;
    },
    iscsi_get_auth_groups: () => [...authGroups].map(([tag, secrets]) => ({ tag, secrets: [...secrets.values()] })),
    iscsi_set_discovery_auth: (params = {}) => {
      const chap = decode(params, CHAP_SHAPE, invalidParameters());
      if (!isConsistent(chap)) throw invalidParameters();
      Object.assign(iscsi.discoveryAuth, toSettings(chap));
      return true;
    },
  };
}

function readSecret(fields: Fields): Secret {
  return compact(decode(fields, SECRET_SHAPE, invalidParameters()));
}

function compact({
  user,
  secret,
  muser,
  msecret,
}: { readonly [Name in keyof Secret]-?: Secret[Name] | undefined }): Secret {
  return {
    user: user ?? "",
    secret: secret ?? "",
    ...(muser !== undefined && { muser }),
    ...(msecret !== undefined && { msecret }),
  };
}

function addSecret(group: Map<string, Secret>, secret: Secret, tag: number): void {
  const what = `add secret to auth group (${tag})`;
  if (Object.values(secret).some((text: string) => Buffer.byteLength(text) > MAX_BYTES)) throw failed(what, "EINVAL");
  if ((secret.muser === undefined) !== (secret.msecret === undefined)) throw failed(what, "EINVAL");
  if (group.has(secret.user)) throw failed(what, "EEXIST");
  group.set(secret.user, secret);
}

function failed(what: string, why: Errno): RpcError {
  return new RpcError(-32602, `Could not ${what}, ${errno(why).message}`);
}
