import type { ProtoField, ProtoFile, ProtoMessage } from "./descriptor-set.ts";

/** What an older release of CSI had and ours reads differently: a caller of that release would not be understood. */
export function findIncompatibilities(older: ProtoFile, ours: ProtoFile): string[] {
  return [...messageFaults(older, ours), ...enumFaults(older, ours), ...serviceFaults(older, ours)];
}

/** How many fields, enum values and RPCs a release has. */
export function countItems(file: ProtoFile): number {
  const fields = [...flatten(file.messageType).values()].flatMap(({ field = [] }) => field);
  const values = [...enumsOf(file).values()].flat();
  return fields.length + values.length + file.service.flatMap(({ method }) => method).length;
}

/** Fields of answers that v1.13 has dropped (VolumeCondition): an older caller finds them not set. */
const RESERVED: ReadonlySet<string> = new Set([
  "ListVolumesResponse.VolumeStatus.2",
  "ControllerGetVolumeResponse.VolumeStatus.2",
  "NodeGetVolumeStatsResponse.2",
  "VolumeCondition.1",
  "VolumeCondition.2",
]);

/** Enum values that a release has dropped and reserved: capabilities that no plugin of ours advertises. */
const RESERVED_VALUES: ReadonlySet<string> = new Set([
  "ControllerServiceCapability.RPC.Type.11",
  "NodeServiceCapability.RPC.Type.4",
]);

function messageFaults(older: ProtoFile, ours: ProtoFile): string[] {
  const known = flatten(ours.messageType);
  return [...flatten(older.messageType)].flatMap(([name, { field = [] }]) =>
    field.flatMap((old) => {
      const place = `${name}.${old.number}`;
      if (RESERVED.has(place)) return [];
      const mine = known.get(name)?.field?.find(({ number }) => number === old.number);
      if (mine === undefined) return [`${place} (${old.name}) is missing`];
      return wireType(mine) === wireType(old) ? [] : [`${place} is ${wireType(mine)}, it was ${wireType(old)}`];
    }),
  );
}

function enumFaults(older: ProtoFile, ours: ProtoFile): string[] {
  const known = enumsOf(ours);
  return [...enumsOf(older)].flatMap(([name, values]) =>
    values
      .filter((value) => !RESERVED_VALUES.has(`${name}.${value}`) && known.get(name)?.includes(value) !== true)
      .map((value) => `${name}.${value} is missing`),
  );
}

function serviceFaults(older: ProtoFile, ours: ProtoFile): string[] {
  const signature = (rpc: { readonly name: string; readonly inputType: string; readonly outputType: string }): string =>
    `${rpc.name}(${rpc.inputType}) returns (${rpc.outputType})`;
  const known = new Set(ours.service.flatMap(({ name, method }) => method.map((rpc) => `${name}.${signature(rpc)}`)));
  return older.service
    .flatMap(({ name, method }) => method.map((rpc) => `${name}.${signature(rpc)}`))
    .filter((rpc) => !known.has(rpc))
    .map((rpc) => `${rpc} is missing`);
}

/** What a field is on the wire; its name is not. */
function wireType({ type, label, typeName = "" }: ProtoField): string {
  return [label, type, typeName].join(" ");
}

function flatten(messages: readonly ProtoMessage[], prefix = ""): ReadonlyMap<string, ProtoMessage> {
  return new Map(
    messages.flatMap((message): [string, ProtoMessage][] => [
      [prefix + message.name, message],
      ...flatten(message.nestedType ?? [], `${prefix}${message.name}.`),
    ]),
  );
}

function enumsOf(file: ProtoFile): ReadonlyMap<string, readonly number[]> {
  const nested = [...flatten(file.messageType)].flatMap(([name, { enumType = [] }]) =>
    enumType.map((each) => [`${name}.${each.name}`, each] as const),
  );
  const all = [...nested, ...(file.enumType ?? []).map((each) => [each.name, each] as const)];
  return new Map(all.map(([name, { value }]) => [name, value.map(({ number = 0 }) => number)]));
}
