import { setTimeout } from "node:timers/promises";

import { runProgram } from "../run-program.ts";
import { clusterEnv } from "../running-cluster.ts";

const CALL_MS = 180_000;
const POLL_MS = 200;

/** What is applied. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

/** What Kubernetes has, as far as it is looked at here, whatever its kind. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: {
    readonly accessModes?: readonly string[];
    readonly capacity?: object;
    readonly csi?: Readonly<Record<"driver" | "fsType" | "volumeHandle", string>> & {
      readonly volumeAttributes: object;
    };
    readonly nodeName?: string;
    readonly storageClassName?: string;
    readonly volumeName?: string;
  };
  readonly status?: {
    readonly capacity?: { readonly storage: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly phase?: string;
    readonly readyToUse?: boolean;
  };
}

/** Of a container of a pod. */
interface ContainerStatus {
  readonly restartCount: number;
  readonly containerID?: string;
  readonly state?: { readonly waiting?: { readonly reason: string } };
}

/** What kubectl says, in one of the cluster's namespaces. */
export class Kubectl {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  /** Runs kubectl; throws with what it says when it fails. */
  run(args: readonly string[], input = ""): Promise<string> {
    const options = { env: clusterEnv(), timeout: CALL_MS, input };
    return runProgram("kubectl", ["--namespace", this.namespace, ...args], options);
  }

  async apply(...objects: readonly Manifest[]): Promise<void> {
    await this.run(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  }

  /** An object; undefined where there is none. */
  async find(kind: string, name: string): Promise<KubeObject | undefined> {
    const text = await this.run(["get", kind, name, "--ignore-not-found", "-o", "json"]);
    return text === "" ? undefined : JSON.parse(text);
  }

  async list(kind: string, ...options: readonly string[]): Promise<readonly KubeObject[]> {
    const { items }: { items: readonly KubeObject[] } = JSON.parse(
      await this.run(["get", kind, ...options, "-o", "json"]),
    );
    return items;
  }

  /** Deletes objects, and waits until they are gone. */
  async delete(kind: string, ...names: readonly string[]): Promise<void> {
    await this.run(["delete", kind, ...names, "--ignore-not-found", "--timeout=120s"]);
  }

  /** Runs a shell command in a pod. */
  exec(pod: string, command: string, ...options: readonly string[]): Promise<string> {
    return this.run(["exec", pod, ...options, "--", "sh", "-c", command]);
  }

  /** Waits until an object is as it should be; throws with how it is. */
  async until(kind: string, name: string, what: string, isSo: (object: KubeObject) => boolean): Promise<KubeObject> {
    for (const deadline = Date.now() + CALL_MS; ; await setTimeout(POLL_MS)) {
      const object = await this.find(kind, name);
      if (object !== undefined && isSo(object)) return object;
      if (Date.now() > deadline) {
        const events = await this.run(["get", "events", "--field-selector", `involvedObject.name=${name}`]);
        throw new Error(`${kind} ${name} is not ${what}: ${JSON.stringify(object?.status)}\n${events}`);
      }
    }
  }

  async untilGone(kind: string, name: string): Promise<void> {
    for (
      const deadline = Date.now() + CALL_MS;
      (await this.find(kind, name)) !== undefined;
      await setTimeout(POLL_MS)
    ) {
      if (Date.now() > deadline) throw new Error(`${kind} ${name} is still there`);
    }
  }

  /** Waits until a pod runs and is ready. */
  async untilReady(pod: string): Promise<KubeObject> {
    return this.until("pod", pod, "ready", ({ status }) =>
      (status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True"),
    );
  }
}
