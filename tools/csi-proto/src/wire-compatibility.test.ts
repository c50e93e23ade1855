import { describe, expect, it } from "vitest";

import type { ProtoField, ProtoFile } from "./descriptor-set.ts";
import { findIncompatibilities } from "./wire-compatibility.ts";

const field = (number: number, type: string, name = "x"): ProtoField => ({
  name,
  number,
  type,
  label: "LABEL_OPTIONAL",
});

const file = (
  fields: readonly ProtoField[],
  values: readonly number[] = [],
  rpcs: readonly string[] = [],
): ProtoFile => ({
  package: "csi.v1",
  messageType: [{ name: "M", field: fields, enumType: [{ name: "E", value: values.map((number) => ({ number })) }] }],
  service: [
    { name: "S", method: rpcs.map((name) => ({ name, inputType: `.csi.v1.${name}Request`, outputType: ".csi.v1.R" })) },
  ],
});

describe("a caller of an older release", () => {
  const older = file([field(1, "TYPE_STRING"), field(2, "TYPE_INT64")], [0, 1], ["Get"]);

  it("is understood by what has the same and more, under whatever names", () => {
    const ours = file(
      [field(1, "TYPE_STRING", "renamed"), field(2, "TYPE_INT64"), field(3, "TYPE_BOOL")],
      [0, 1, 2],
      ["Get", "Put"],
    );
    expect(findIncompatibilities(older, ours)).toEqual([]);
  });

  it("is not understood where a field, a value or an RPC is gone or another", () => {
    expect(findIncompatibilities(older, file([field(1, "TYPE_INT32")], [0], []))).toEqual([
      "M.1 is LABEL_OPTIONAL TYPE_INT32 , it was LABEL_OPTIONAL TYPE_STRING ",
      "M.2 (x) is missing",
      "M.E.1 is missing",
      "S.Get(.csi.v1.GetRequest) returns (.csi.v1.R) is missing",
    ]);
  });
});
