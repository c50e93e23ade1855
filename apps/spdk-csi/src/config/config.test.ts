import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseConfig } from "./config.ts";
import { parseCredentials } from "./credentials.ts";
import { ConfigError } from "./document.ts";

const TUTORIAL = `{ "nodes": [ { "name": "spdk-1", "rpcURL": "http://192.168.10.118:9009", "targetType": "nvme-tcp", "targetAddr": "192.168.10.118" # SPDK Server IP
    } ] }`;
const SECRET = '{ "rpcTokens": [ { "name": "spdk-1", "username": "root", "password": "gluesys" } ] }';

function parse(text: string, secret?: string) {
  return parseConfig(
    { file: "config.json", text },
    secret === undefined ? undefined : { file: "secret.json", text: secret },
  );
}

/** The config of one target that has `fields` beside what every target needs. */
function target(fields: Record<string, unknown>): string {
  return JSON.stringify({
    nodes: [{ name: "a", rpcURL: "unix:///s", targetType: "nvme-tcp", targetAddr: "10.0.0.1", ...fields }],
  });
}

function problems(text: string, secret?: string): readonly string[] {
  try {
    parse(text, secret);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("the configuration", () => {
  it("of the tutorial loads as it is, comment included", () => {
    expect(parse(TUTORIAL, SECRET)).toEqual([
      {
        name: "spdk-1",
        rpcUrl: "http://192.168.10.118:9009",
        targetType: "nvme-tcp",
        portals: [{ address: "192.168.10.118", port: 4420 }],
        credentials: { username: "root", password: "gluesys" },
        bdevs: [],
        zeroesOnUnmap: false,
        cordoned: false,
        topology: {},
      },
    ]);
  });

  it("may be YAML with everything a target can be told", () => {
    const yaml = `
targets:
  - name: spdk-1
    rpcURL: unix:///var/tmp/spdk.sock
    targetType: nvme-tcp
    targetAddr: 10.0.0.1
    targetPort: 4421
    portals: ["[fd00::1]:4420", 10.0.0.2]
    lvstores: [lvs0, lvs1]
    bdevs:
      - nvme: { name: Nvme0, trtype: PCIe, traddr: "0000:01:00.0" }
      - malloc: { name: Malloc0, num_blocks: 18446744073709551615, block_size: 512 }
    zeroesOnUnmap: true
    cordoned: true
    topology: { topology.kubernetes.io/zone: a }
    keyDir: /etc/spdk/keys
`;
    expect(parse(yaml)).toEqual([
      {
        name: "spdk-1",
        rpcUrl: "unix:///var/tmp/spdk.sock",
        targetType: "nvme-tcp",
        portals: [
          { address: "10.0.0.1", port: 4421 },
          { address: "fd00::1", port: 4420 },
          { address: "10.0.0.2", port: 4420 },
        ],
        lvstores: ["lvs0", "lvs1"],
        bdevs: [
          { kind: "nvme", name: "Nvme0", params: { name: "Nvme0", trtype: "PCIe", traddr: "0000:01:00.0" } },
          {
            kind: "malloc",
            name: "Malloc0",
            params: { name: "Malloc0", num_blocks: 18446744073709551615n, block_size: 512 },
          },
        ],
        zeroesOnUnmap: true,
        cordoned: true,
        topology: { "topology.kubernetes.io/zone": "a" },
        keyDir: "/etc/spdk/keys",
      },
    ]);
  });

  it.each(["nodes", "targets", "Nodes"])("may call its list %s", (list) => {
    expect(parse(target({}).replace("nodes", list))).toHaveLength(1);
  });

  it.each(["nvme-tcp", "NVMe-TCP", "TCP", "tcp"])("takes %s for NVMe/TCP", (targetType) => {
    expect(parse(target({ targetType }))).toMatchObject([{ targetType: "nvme-tcp" }]);
  });

  it("takes a name with colons and as long as a volume id leaves room for", () => {
    expect(parse(target({ name: `:${"é".repeat(45)}` }))).toHaveLength(1);
  });
});

describe("a wrong configuration", () => {
  it.each([
    ["{", "not valid JSON or YAML at line 1, column 2 (missing char)"],
    ["nodes: *a", "not valid JSON or YAML (an alias leads nowhere, or to too much)"],
    ["", "the document must be an object"],
    ["{}", "nodes is missing: it must be a list of at least one target"],
    ['{"targets":{}}', "targets must be a list of at least one target"],
    ['{"nodes":[]}', "nodes must be a list of at least one target"],
    ['{"nodes":[1]}', "nodes[0] must be an object"],
    [target({}).replace("{", '{"targets":[],'), "the document must have nodes or targets, not both"],
    [
      target({ name: 7 }),
      "nodes[0].name must be a text that is not empty, the target's name in volume ids: put it in quotes",
    ],
    [target({ name: "" }), "nodes[0].name must be a text that is not empty"],
    [target({ name: "  " }), "nodes[0].name must be free of spaces at its ends"],
    [target({ name: "a\u007fb" }), "nodes[0].name must be free of control characters"],
    [target({ name: "é".repeat(46) }), "nodes[0].name must be at most 91 bytes long"],
    [target({ rpcURL: 1 }), "nodes[0].rpcURL must be where the target's JSON-RPC is reached: unix:///path"],
    [target({ targetType: "nvme-foo" }), 'nodes[0].targetType must be one of nvme-tcp, not "nvme-foo"'],
    [target({ rpcUrl: "x" }), "nodes[0].rpcUrl is unknown here; did you mean rpcURL?"],
    [target({ lvstore: "x" }), "nodes[0].lvstore is unknown here; did you mean lvstores?"],
    [target({ "a b": 1 }), 'nodes[0]["a b"] is unknown here: known are name, rpcURL'],
    [target({ lvstores: [] }), "nodes[0].lvstores must be a list of at least one lvstore's name"],
    [target({ lvstores: ["a", "a"] }), 'nodes[0].lvstores[1] must be unique, but "a" stands twice'],
    [target({ cordoned: "yes" }), "nodes[0].cordoned must be true or false"],
    [target({ keyDir: "keys" }), "nodes[0].keyDir must be the absolute path of a folder on the target"],
    [target({ topology: { "a/b/c": "d" } }), 'nodes[0].topology["a/b/c"] must have a key like'],
    [target({ topology: { zone: "-" } }), "nodes[0].topology.zone must have a value like"],
    [target({ topology: { zone: "a", Zone: "a" } }), "nodes[0].topology.Zone stands there twice"],
    [target({ topology: [] }), "nodes[0].topology must be an object"],
    [target({ bdevs: {} }), "nodes[0].bdevs must be a list"],
    [target({ bdevs: [{}] }), "nodes[0].bdevs[0] must have one field, the bdev's kind: aio, malloc, nvme, uring"],
    [target({ bdevs: [{ aio: { name: "x" }, nvme: {} }] }), "nodes[0].bdevs[0] must have one field"],
    [target({ bdevs: [{ nvmf: {} }] }), "nodes[0].bdevs[0].nvmf is unknown here"],
    [target({ bdevs: [{ aio: "x" }] }), "nodes[0].bdevs[0].aio must be an object"],
    [target({ bdevs: [{ aio: {} }] }), "nodes[0].bdevs[0].aio must have a name, as SPDK's method does"],
    [
      target({ bdevs: [{ aio: { name: "x" } }, { uring: { name: "x" } }] }),
      "nodes[0].bdevs[1].uring.name must be unique",
    ],
    [target({}).replace("]", `,${target({}).slice(10, -2)}]`), 'nodes[1].name must be unique, but "a" stands twice'],
    [
      target({}).replace("]", `,${target({ name: "b" }).slice(10, -2)}]`),
      "nodes[1].rpcURL leads to the same target as nodes[0].rpcURL",
    ],
  ])("%s is refused with the path of what is wrong", (text, message) => {
    expect(() => parse(text)).toThrow(ConfigError);
    expect(() => parse(text)).toThrow(`config.json: ${message}`);
  });

  it("is told of whole, the secret included", () => {
    expect(problems('{"nodes":[{"name":"a"},{"rpcurl":"unix:///s","targetType":1}]}', "[")).toEqual([
      expect.stringMatching(/^secret\.json: not valid JSON or YAML at line 1/),
      expect.stringMatching(/^config\.json: nodes\[0\]\.rpcURL is missing: it must be where/),
      "config.json: nodes[0].targetType is missing: it must be one of nvme-tcp",
      expect.stringMatching(/^config\.json: nodes\[0\]\.targetAddr is missing: it must be the address/),
      "config.json: nodes[1].rpcurl is unknown here; did you mean rpcURL?",
      expect.stringMatching(/^config\.json: nodes\[1\]\.name is missing/),
      expect.stringMatching(/^config\.json: nodes\[1\]\.rpcURL is missing/),
      "config.json: nodes[1].targetType must be one of nvme-tcp: put it in quotes",
      expect.stringMatching(/^config\.json: nodes\[1\]\.targetAddr is missing/),
    ]);
  });

  it.each([
    "http://root:gluesys@",
    "ftp://root:gluesys@host",
    "tcp://root:gluesys@host:1",
    "https://root:gluesys@host/#x",
    "http://root:%gluesys@host",
  ])("with the URL %s shows nothing of its credentials", (rpcURL) => {
    const [problem, ...others] = problems(target({ rpcURL }));
    expect(problem).toMatch(/^config\.json: nodes\[0\]\.rpcURL cannot be used: /);
    expect(others).toEqual([]);
    expect(problem).not.toMatch(/gluesys|root/);
  });

  it("may keep a cordoned target's former name beside its new one", () => {
    const former = target({ name: "b", cordoned: true }).slice(10, -2);
    expect(parse(target({}).replace("]", `,${former}]`))).toHaveLength(2);
  });
});

it("a token for no target is a warning", () => {
  const warnings: string[] = [];
  parseConfig(
    { file: "config.json", text: target({}) },
    { file: "secret.json", text: SECRET },
    {
      warn: (warning) => void warnings.push(warning),
    },
  );
  expect(warnings).toEqual(['secret.json: no target of config.json has the name "spdk-1"']);
});

it("the guide's examples load", () => {
  const guide = readFileSync(new URL("../../../../docs/guides/configuration.md", import.meta.url), "utf8");
  const examples = [...guide.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  const configs = examples.filter((text) => /^(?:nodes|targets):/.test(text));
  const secrets = examples.filter((text) => text.startsWith("rpcTokens:"));
  expect([configs.length, secrets.length]).toEqual([2, 1]);
  for (const text of configs) expect(parse(text)).not.toEqual([]);
  for (const text of secrets) expect(parseCredentials({ file: "secret.json", text }).size).toBe(1);
});
