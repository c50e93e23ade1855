import { describe, expect, it } from "vitest";

import { ConfigError, parseConfig } from "./config.ts";

const TUTORIAL = `{ "nodes": [ { "name": "spdk-1", "rpcURL": "http://192.168.10.118:9009", "targetType": "nvme-tcp", "targetAddr": "192.168.10.118" # SPDK Server IP
    } ] }`;
const SECRET = '{ "rpcTokens": [ { "name": "spdk-1", "username": "root", "password": "gluesys" } ] }';

function parse(text: string, secret?: string) {
  return parseConfig(
    { file: "config.json", text },
    secret === undefined ? undefined : { file: "secret.json", text: secret },
  );
}

function node(fields: Record<string, unknown>): string {
  return JSON.stringify({
    nodes: [{ name: "a", rpcURL: "unix:///s", targetType: "nvme-tcp", targetAddr: "::1", ...fields }],
  });
}

describe("the configuration", () => {
  it("of the tutorial loads as it is, comment included", () => {
    expect(parse(TUTORIAL, SECRET)).toEqual([
      {
        name: "spdk-1",
        rpcUrl: "http://192.168.10.118:9009",
        targetType: "nvme-tcp",
        address: "192.168.10.118",
        port: 4420,
        username: "root",
        password: "gluesys",
      },
    ]);
  });

  it("may be YAML and name a port", () => {
    const yaml =
      "nodes:\n  - name: a\n    rpcURL: unix:///s\n    targetType: nvme-tcp\n    targetAddr: 10.0.0.1\n    targetPort: 4421\n";
    expect(parse(yaml)).toMatchObject([{ name: "a", port: 4421 }]);
  });

  it.each([
    ["{", "not valid JSON or YAML"],
    ["", "the document must be an object"],
    ["{}", "nodes must be a list"],
    ['{"nodes":[]}', "nodes must be a list of at least one target"],
    ['{"nodes":[1]}', "nodes[0] must be an object"],
    [node({ name: "" }), "nodes[0].name must be a text"],
    [node({ rpcURL: 1 }), "nodes[0].rpcURL must be a text"],
    [node({ targetType: "nvme-foo" }), "nodes[0].targetType must be one of nvme-tcp"],
    [node({ targetPort: 70000 }), "nodes[0].targetPort must be a port"],
    [node({ rpcUrl: "x" }), "nodes[0].rpcUrl is unknown here"],
    [node({}).replace("]", `,${node({}).slice(10, -2)}]`), "nodes[1].name must be unique"],
  ])("%s is refused with the path of what is wrong", (text, message) => {
    expect(() => parse(text)).toThrow(ConfigError);
    expect(() => parse(text)).toThrow(`config.json: ${message}`);
  });

  it("never shows a password in an error", () => {
    const broken = '{ "rpcTokens": [ { "name": "spdk-1", "username": "root", "password": "gluesys" } ';
    const wrong = '{ "rpcTokens": [ { "name": "spdk-1", "username": "root", "password": ["gluesys"] } ] }';
    for (const secret of [broken, wrong]) {
      const error = (() => {
        try {
          return parse(TUTORIAL, secret);
        } catch (caught) {
          return caught;
        }
      })();
      expect(error).toBeInstanceOf(ConfigError);
      expect(String(error)).not.toContain("gluesys");
    }
  });
});
