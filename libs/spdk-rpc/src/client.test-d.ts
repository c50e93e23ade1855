import { expectTypeOf, test } from "vitest";

import { type Bdev, connect, type JsonValue, type NvmfSubsystem, type SpdkMethod, type SpdkParams } from "./index.ts";

declare const UNKNOWN: string;

const client = connect("unix:///var/tmp/spdk.sock");

test("results are typed by the method", () => {
  expectTypeOf(client.call("bdev_get_bdevs")).resolves.toEqualTypeOf<readonly Bdev[]>();
  expectTypeOf(client.call("nvmf_get_subsystems", undefined, {})).resolves.toEqualTypeOf<readonly NvmfSubsystem[]>();
  expectTypeOf(client.call("bdev_lvol_create", { lvol_name: "a", size_in_mib: 1n })).resolves.toEqualTypeOf<string>();
  expectTypeOf(client.call("bdev_ftl_get_stats", { name: "ftl0" })).resolves.toEqualTypeOf<JsonValue>();
});

test("params are checked against the method", () => {
  // @ts-expect-error lvol_name and a size are required
  void client.call("bdev_lvol_create");
  // @ts-expect-error lvol_name is required
  void client.call("bdev_lvol_create", { size_in_mib: 1 });
  // @ts-expect-error a size is a number
  void client.call("bdev_lvol_create", { lvol_name: "a", size_in_mib: "1" });
  // @ts-expect-error no such parameter
  void client.call("bdev_get_bdevs", { nome: "a" });
  // @ts-expect-error no such enum value
  void client.call("bdev_lvol_create", { lvol_name: "a", size_in_mib: 1, clear_method: "wipe" });
  // @ts-expect-error the namespace needs a bdev
  void client.call("nvmf_subsystem_add_ns", { nqn: "a", namespace: {} });
  // @ts-expect-error takes no parameters
  void client.call("spdk_get_version", { verbose: true });
});

test("older targets' sizes in bytes go in place of size_in_mib", () => {
  void client.call("bdev_lvol_create", { lvol_name: "a", size: 4_194_304n });
  void client.call("bdev_lvol_resize", { name: "a", size: 4_194_304 });
  const either: { size: bigint } | { size_in_mib: bigint } = { size: 1n };
  void client.call("bdev_lvol_create", { lvol_name: "a", ...either });
  // @ts-expect-error one of the two
  void client.call("bdev_lvol_create", { lvol_name: "a", size: 1, size_in_mib: 1 });
});

test("methods that the schema does not know take and give any JSON", () => {
  expectTypeOf(client.call("my_plugin_method", { any: [1, "x"] })).resolves.toEqualTypeOf<JsonValue>();
  expectTypeOf(client.call(UNKNOWN)).resolves.toEqualTypeOf<JsonValue>();
  expectTypeOf<"bdev_lvol_create">().toExtend<SpdkMethod>();
  expectTypeOf<SpdkParams<"nvmf_subsystem_remove_ns">["nsid"]>().toEqualTypeOf<number>();
});
