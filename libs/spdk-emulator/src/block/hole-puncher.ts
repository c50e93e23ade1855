import { type ChildProcess, spawn } from "node:child_process";

import type { ByteRange } from "./block-device.ts";

/** Node.js has no fallocate: a child of util-linux's does it, a range a line, and says so after each. */
const SCRIPT =
  'while read -r offset length; do fallocate -p -o "$offset" -l "$length" -- "$1" && echo done || exit 1; done';

/** A child that has nothing to do for this long ends. */
const IDLE_MS = 1000;

interface Request {
  readonly range: ByteRange;
  readonly resolve: (punched: boolean) => void;
}

/**
 * Punches holes into a file. The child has never more than one range in hand: when the emulator is killed, the host
 * sends the command again, and what an orphan did later would fall on what was written since.
 */
export class HolePuncher {
  readonly #path: string;
  readonly #requests: Request[] = [];
  #child: ChildProcess | undefined;
  #unable = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Punches a hole; false where the system or the filesystem cannot. */
  punch(range: ByteRange): Promise<boolean> {
    if (this.#unable) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#requests.push({ range, resolve });
      if (this.#requests.length === 1) this.#sendNext();
    });
  }

  /** Ends the child once it has done what it was asked. */
  close(): void {
    clearTimeout(this.#idle);
    this.#child?.stdin?.end();
    this.#child = undefined;
  }

  #sendNext(): void {
    clearTimeout(this.#idle);
    const [next] = this.#requests;
    if (next === undefined) {
      this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
      return;
    }
    this.#child ??= this.#spawn();
    this.#child.stdin?.write(`${next.range.offset} ${next.range.length}\n`);
  }

  #spawn(): ChildProcess {
    const child = spawn("sh", ["-c", SCRIPT, "sh", this.#path], { stdio: ["pipe", "pipe", "ignore"] });
    // It has one line in hand at a time, so what it says is about the first request.
    child.stdout.on("data", () => {
      this.#requests.shift()?.resolve(true);
      this.#sendNext();
    });
    child.on("error", () => this.#giveUp());
    child.on("exit", (code) => {
      if (code !== 0) this.#giveUp();
    });
    // A child that ends early says so by its exit.
    child.stdin.on("error", () => undefined);
    return child;
  }

  #giveUp(): void {
    this.#unable = true;
    this.#child = undefined;
    for (const { resolve } of this.#requests.splice(0)) resolve(false);
  }
}
