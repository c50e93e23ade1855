import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

import { parseOptions } from "../src/commands/options.ts";
import { parseConfig } from "../src/config/config.ts";
import { parseParameters } from "../src/parameters.ts";
import { DRIVER_VERSION } from "../src/plugin.ts";

const FOLDER = join(import.meta.dirname, "../deploy/kubernetes");
const BUILT_IN = ["v1", "apps/v1", "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1"];

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly valueFrom: { readonly configMapKeyRef?: Reference } }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly requests?: object };
  readonly livenessProbe?: { readonly httpGet: { readonly path: string } };
}

interface Reference {
  readonly name: string;
  readonly key: string;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly template?: { readonly spec: { readonly containers: readonly Container[] } } };
  readonly rules?: readonly { readonly apiGroups: readonly string[]; readonly resourceNames?: readonly string[] }[];
  readonly parameters?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

function manifestsOf(folder: string): Manifest[] {
  const files = readdirSync(join(FOLDER, folder)).filter((name) => name !== "kustomization.yaml");
  return files.flatMap((name) =>
    parseAllDocuments(readFileSync(join(FOLDER, folder, name), "utf8")).map((document): Manifest => document.toJS()),
  );
}

function containersOf(manifests: readonly Manifest[]): Container[] {
  return manifests.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
}

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest | undefined {
  return manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
}

/** As kubelet gives them to the program: with what the configuration says. */
function argsOf({ args, env = [] }: Container): string[] {
  return env.reduce<string[]>(
    (expanded, { name, valueFrom: { configMapKeyRef: from } }) => {
      const value = from && find(config, "ConfigMap", from.name)?.data?.[from.key];
      return value === undefined ? expanded : expanded.map((arg) => arg.replaceAll(`$(${name})`, value));
    },
    [...args],
  );
}

const base = manifestsOf("base");
const config = manifestsOf("config");
const snapshots = manifestsOf("snapshots");

describe("pain 23: snapshot CRDs missing: the deploy goes through", () => {
  test("all that the base and the configuration are made of is built into Kubernetes", () => {
    const foreign = [...base, ...config].filter(({ apiVersion }) => !BUILT_IN.includes(apiVersion));
    expect(foreign).toEqual([]);
  });

  test("no container of the base needs them, and none may read them", () => {
    expect(containersOf(base).map(({ name }) => name)).not.toContain("csi-snapshotter");
    const groups = base.flatMap(({ rules = [] }) => rules.flatMap(({ apiGroups }) => apiGroups));
    expect(groups).not.toContain("snapshot.storage.k8s.io");
  });

  test("the overlay alone has the snapshotter, what it may do, and its class", () => {
    expect(containersOf(snapshots).map(({ name }) => name)).toEqual(["csi-snapshotter"]);
    expect(find(snapshots, "VolumeSnapshotClass", "spdk")?.apiVersion).toBe("snapshot.storage.k8s.io/v1");
    const overlay: { resources: string[]; components: string[] } = parse(
      readFileSync(join(FOLDER, "with-snapshots/kustomization.yaml"), "utf8"),
    );
    expect(overlay).toMatchObject({ resources: ["../base"], components: ["../snapshots"] });
  });
});

test("every file of a folder is in its kustomization", () => {
  for (const folder of ["base", "config", "snapshots"]) {
    const { resources = [], patches = [] }: { resources?: string[]; patches?: { path: string }[] } = parse(
      readFileSync(join(FOLDER, folder, "kustomization.yaml"), "utf8"),
    );
    const listed = ["kustomization.yaml", ...resources, ...patches.map(({ path }) => path)];
    expect(readdirSync(join(FOLDER, folder)).toSorted()).toEqual(listed.toSorted());
  }
});

test("the driver's containers are of this version, and take their options", () => {
  const drivers = containersOf(base).filter(({ name }) => name === "spdk-csi");
  expect(drivers.map(({ image }) => image)).toEqual([`spdk-csi:${DRIVER_VERSION}`, `spdk-csi:${DRIVER_VERSION}`]);
  expect(drivers.map((driver) => parseOptions(argsOf(driver)).command)).toEqual(["controller", "node"]);
  for (const { livenessProbe } of drivers) expect(livenessProbe?.httpGet.path).toBe("/healthz");
});

test("controller and nodes know the cluster by the name that the configuration gives it", () => {
  const drivers = containersOf(base).filter(({ name }) => name === "spdk-csi");
  for (const driver of drivers) expect(argsOf(driver)).toContain("--cluster=default");
});

test("containers write to no root, reserve what they need, and only the node's is privileged", () => {
  for (const { name, args, securityContext, resources } of containersOf([...base, ...snapshots])) {
    expect(securityContext, name).toMatchObject({ readOnlyRootFilesystem: true });
    expect(resources.requests, name).toMatchObject({ cpu: expect.any(String), memory: expect.any(String) });
    if (args[0] === "node") expect(securityContext).toMatchObject({ privileged: true });
    else
      expect(securityContext, name).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
  }
});

test("the secrets that the classes name are there, and those of the controller are all that it may read", () => {
  const parameters = find(config, "StorageClass", "spdk")?.parameters ?? {};
  expect(() => parseParameters(parameters)).not.toThrow();
  const readable = find(base, "Role", "spdk-csi-controller")?.rules?.flatMap(({ resourceNames = [] }) => resourceNames);
  const classes = [parameters, find(snapshots, "VolumeSnapshotClass", "spdk")?.parameters ?? {}];
  for (const [key, name] of classes.flatMap((each) => Object.entries(each))) {
    if (!key.endsWith("-secret-name")) continue;
    expect(find(config, "Secret", name), key).toBeDefined();
    if (!key.includes("/node-")) expect(readable, key).toContain(name);
  }
});

test("the configuration that is to be edited is one", () => {
  const text = find(config, "ConfigMap", "spdk-csi-config")?.data?.["config.json"] ?? "";
  const secret = find(config, "Secret", "spdk-csi-targets")?.stringData?.["secret.json"] ?? "";
  const targets = parseConfig({ file: "config.json", text }, { file: "secret.json", text: secret });
  expect(targets).toMatchObject([{ name: "spdk-1", credentials: { username: "root" } }]);
});
