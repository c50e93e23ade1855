import { once } from "node:events";
import { createServer } from "node:net";

import { CGROUP } from "./places.ts";

/** Does what only one process at a time may do with the cluster or its programs; throws at once where another does it. */
export async function exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
  // An abstract socket goes with its process, however that ends.
  const lock = createServer().listen({ path: `\0${CGROUP} ${what}` });
  try {
    await once(lock, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`another process is ${what}: wait for its end`, { cause: error });
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}
