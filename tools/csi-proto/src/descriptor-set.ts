import { readFileSync } from "node:fs";
import { join } from "node:path";

import { PROTO_DIR, TOOL_DIR } from "./paths.ts";
import { run } from "./run.ts";

/** The parts of protobuf's FileDescriptorProto that the generator reads, in their JSON form. */
export interface ProtoFile {
  readonly package: string;
  readonly messageType: readonly ProtoMessage[];
  readonly enumType?: readonly ProtoEnum[];
  readonly service: readonly ProtoService[];
}

export interface ProtoMessage {
  readonly name: string;
  readonly field?: readonly ProtoField[];
  readonly nestedType?: readonly ProtoMessage[];
  readonly enumType?: readonly ProtoEnum[];
  readonly oneofDecl?: readonly { readonly name: string }[];
  readonly options?: { readonly mapEntry?: boolean };
}

export interface ProtoEnum {
  readonly name: string;
  readonly value: readonly { readonly number?: number }[];
}

export interface ProtoField {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: string;
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface ProtoService {
  readonly name: string;
  readonly method: readonly {
    readonly name: string;
    readonly inputType: string;
    readonly outputType: string;
    readonly serverStreaming?: boolean;
  }[];
}

/** Compiles our proto into `file`; its suffix (.json or .binpb) says how it is written. */
export function buildDescriptorSet(file: string): void {
  buildDescriptorSetOf(PROTO_DIR, file);
}

/** Compiles the proto files of a folder. */
export function buildDescriptorSetOf(folder: string, file: string): void {
  run("buf", ["build", folder, "--as-file-descriptor-set", "--exclude-source-info", "-o", file], { cwd: TOOL_DIR });
}

/** The descriptor of our csi.proto, compiled into `dir`. */
export function readCsiFile(dir: string): ProtoFile {
  const file = join(dir, "csi.json");
  buildDescriptorSet(file);
  return readDescriptorSet(file);
}

/** The file of package csi.v1 in a descriptor set that was written as JSON. */
export function readDescriptorSet(file: string): ProtoFile {
  const set = JSON.parse(readFileSync(file, "utf8")) as { readonly file: readonly ProtoFile[] };
  const csi = set.file.find((each) => each.package === "csi.v1");
  if (csi === undefined) throw new Error("the proto holds no package csi.v1");
  return csi;
}
