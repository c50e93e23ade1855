import { readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";

import { decode } from "./rpc/decode.ts";
import type { Handlers } from "./rpc/handler.ts";
import { errno, RpcError, undecodable } from "./rpc/rpc-error.ts";

/** The rights that SPDK asks of a key's file: its owner's alone. */
const OTHERS_RIGHTS = 0o077;

/** A key: a name for a secret in a file of the target. Who uses it holds it, beyond its removal from the keyring. */
export class Key {
  readonly name: string;
  readonly #path: string;
  #removed = false;
  #references = 1;

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  get references(): number {
    return this.#references;
  }

  /** The secret, read from the file now; undefined when the file is gone, open to others, or the key was removed. */
  secret(): string | undefined {
    if (this.#removed || checkFile(this.#path) !== undefined) return undefined;
    return readFileSync(this.#path, "latin1").trimEnd();
  }

  hold(): this {
    this.#references += 1;
    return this;
  }

  /** Gives it back; a second time is the caller's mistake. */
  release(): void {
    this.#references -= 1;
  }

  markRemoved(): void {
    this.#removed = true;
  }

  /** One entry of keyring_get_keys. */
  describe(): object {
    return {
      name: this.name,
      module: "keyring_file",
      removed: this.#removed,
      probed: false,
      refcnt: this.#references,
      ...(!this.#removed && { path: this.#path }),
    };
  }

  /** What makes the key again, as save_config writes it. */
  config(): object {
    return { method: "keyring_file_add_key", params: { name: this.name, path: this.#path } };
  }
}

/** The target's keys, by name. They are gone when it ends. */
export class Keyring {
  readonly #keys = new Map<string, Key>();
  /** Removed ones that somebody still uses. */
  #removed: Key[] = [];

  /** Adds a key; its file must be there with mode 0600, under an absolute path. */
  add(name: string, path: string): void {
    if (this.#keys.has(name)) throw errno("EEXIST");
    if (!isAbsolute(path)) throw errno("EPERM");
    const problem = checkFile(path);
    if (problem !== undefined) throw errno(problem);
    this.#keys.set(name, new Key(name, path));
  }

  /** Removes a key; hosts that use it keep their hold, but no secret. */
  remove(name: string): void {
    const key = this.#keys.get(name);
    if (key === undefined) throw errno("ENOKEY");
    this.#keys.delete(name);
    key.markRemoved();
    if (key.references > 1) this.#removed.push(key);
  }

  /** The key of this name, held for the caller, who releases it; undefined when there is none. */
  take(name: string): Key | undefined {
    return this.#keys.get(name)?.hold();
  }

  /** Every key, and removed ones that are in use. */
  all(): readonly Key[] {
    this.#removed = this.#removed.filter((key) => key.references > 1);
    return [...this.#keys.values(), ...this.#removed];
  }

  /** The calls that make its keys again. */
  config(): readonly object[] {
    return [...this.#keys.values()].map((key) => key.config());
  }
}

function checkFile(path: string): "ENOENT" | "EPERM" | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "ENOENT";
  return (stat.mode & OTHERS_RIGHTS) === 0 ? undefined : "EPERM";
}

/** keyring_file_add_key, keyring_file_remove_key and keyring_get_keys, which came with v24.05. */
export function keyringHandlers(keyring: Keyring): Handlers {
  return {
    keyring_file_add_key: (params = {}) => {
      const { name, path } = decode(params, { name: "string", path: "string" }, undecodable());
      keyring.add(name, path);
      return true;
    },
    keyring_file_remove_key: (params = {}) => {
      keyring.remove(decode(params, { name: "string" }, undecodable()).name);
      return true;
    },
    keyring_get_keys: (params) => {
      if (params !== undefined) throw new RpcError(-32602, "keyring_get_keys method requires no parameters");
      return keyring.all().map((key) => key.describe());
    },
  };
}
