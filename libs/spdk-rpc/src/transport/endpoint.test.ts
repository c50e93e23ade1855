import { describe, expect, it } from "vitest";

import { connect } from "../client.ts";
import { SpdkUriError } from "../errors.ts";
import { parseUri } from "./endpoint.ts";

const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString("base64")}`;

describe("parseUri", () => {
  it("reads sockets", () => {
    expect(parseUri("unix:///var/tmp/a%20b.sock")).toEqual({
      endpoint: { transport: "unix", path: "/var/tmp/a b.sock" },
      uri: "unix:///var/tmp/a%20b.sock",
    });
    expect(parseUri("tcp://target-1:5260").endpoint).toEqual({ transport: "tcp", host: "target-1", port: 5260 });
    expect(parseUri("tcp://[::1]:5260")).toEqual({
      endpoint: { transport: "tcp", host: "::1", port: 5260 },
      uri: "tcp://[::1]:5260",
    });
  });

  it("decodes HTTP's credentials and keeps them out of the URI it shows", () => {
    expect(parseUri("https://ro%40ot:s%3Aec%2Fret@target:9009/rpc")).toEqual({
      endpoint: {
        transport: "http",
        origin: "https://target:9009",
        path: "/rpc",
        authorization: basic("ro@ot:s:ec/ret"),
      },
      uri: "https://target:9009/rpc",
    });
    expect(parseUri("http://target:9009").endpoint).toEqual({
      transport: "http",
      origin: "http://target:9009",
      path: "/",
    });
  });

  it("prefers credentials that are given apart", () => {
    const { endpoint } = parseUri("http://a:b@target:9009", { username: "c", password: "d" });
    expect(endpoint).toMatchObject({ authorization: basic("c:d") });
  });

  it.each([
    "",
    "/var/tmp/spdk.sock",
    "ftp://root:hunter2@h:1",
    "unix:x",
    "unix://relative.sock",
    "unix:///%zz",
    "tcp://h",
    "tcp://h:0",
    "tcp://h:1/hunter2",
    "tcp://root:hunter2@h:1",
    "http://root:hunter2@",
    "http://root:hunter2%zz@h",
    "http://root:hunter2#x@h:99999",
    "http://root:hun#ter2@h:1",
    "http://ro%3Aot:hunter2@h:1",
  ])("refuses %j without repeating it", (uri) => {
    expect(() => connect(uri)).toThrow(SpdkUriError);
    expect(() => connect(uri)).not.toThrow(/hunter2|ter2/);
  });
});
